import type { Command } from 'commander';
import { countOf } from '../../text/plural.ts';
import { eachFailedJob, groupFailedJobs } from '../../tasks/repair/failed.ts';
import { assertBatch } from '../../tasks/batch/progress.ts';
import { jsonOption } from '../options.ts';
import { lineWidth, printJson, toLine } from '../output/print.ts';
import { withFleet } from '../with-fleet.ts';

export function registerFailed(program: Command): void {
  program
    .command('failed')
    .description('failed tasks and questions by reason, the newest of each, and the line that repairs them')
    .option('--batch <name>', 'of this batch only')
    .option('--session <name>', 'of this session only')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet failed --batch nightly')
    .action(async (options: { batch?: string; session?: string; json?: boolean }) => {
      await withFleet(async ({ inner: { redis, keys, queues } }) => {
        const { batch, session } = options;
        if (batch !== undefined) await assertBatch(redis, keys, batch);
        const own = session === undefined ? {} : { session };
        const filter = batch === undefined ? own : { ...own, batch };
        const groups = await groupFailedJobs(
          eachFailedJob(redis, keys, queues.tasks, filter),
          batch === undefined ? {} : { batch },
        );
        // No question belongs to a batch as its tasks do.
        const questions =
          batch === undefined ? await groupFailedJobs(eachFailedJob(redis, keys, queues.archive, own)) : [];
        const missions =
          batch === undefined
            ? await groupFailedJobs(eachFailedJob(redis, keys, queues.missions, own), { isMission: true })
            : [];
        const shown = [
          ...groups.map((group) => ({ ...group, noun: 'task' })),
          ...questions.map((group) => ({ ...group, noun: 'question' })),
          ...missions.map((group) => ({ ...group, noun: 'mission' })),
        ];
        if (options.json) return printJson(shown.map(({ noun: _noun, ...group }) => group));
        if (shown.length === 0) return console.log('No task has failed.');
        for (const group of shown) {
          console.log(`❌ ${group.reason}: ${countOf(group.count, group.noun)}`);
          for (const job of group.examples) {
            console.log(`   ${job.id}  ${job.failedAt.slice(0, 19)}Z  ${toLine(job.description, 60)}`);
            console.log(`      ${toLine(job.text, Math.max(40, lineWidth() - 6))}`);
          }
          console.log(`   ➜ ${group.repair}`);
        }
      });
    });
}
