/**
 * Adds tasks with a typed input and a typed result. The worker gets the output as JSON Schema. The model may repair an answer
 * that does not fit once; if it still does not fit, the task fails.
 *
 *   node dist/examples/typed-task.js site src/index.ts src/config.ts
 */
import { connectFleet, defineTask } from 'haiku-fleet';
import { z } from 'zod';

const describeFile = defineTask({
  name: 'describe-file',
  input: z.object({ workspace: z.string(), file: z.string().min(1) }),
  output: z.object({ file: z.string(), summary: z.string(), exports: z.array(z.string()) }),
  prompt: ({ file }) => `Read ${file}. Say in one sentence what it is for, and name what it exports.`,
  task: ({ workspace, file }) => ({ workspace, files: [file], kind: 'docs', max_turns: 10 }),
});

const [workspace = 'site', ...files] = process.argv.slice(2);

const fleet = await connectFleet();
try {
  const jobs = await Promise.all(files.map((file) => fleet.tasks.add(describeFile, { workspace, file })));
  for (const job of jobs) {
    const { file, summary, exports } = await job.result(); // typed
    console.log(`${file}: ${summary} (${exports.length} exports)`);
  }
} finally {
  await fleet.close();
}
