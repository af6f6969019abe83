/**
 * Adds a thousand tasks as one batch and prints how each ends. A second run with the same name adds no task twice.
 *
 *   node dist/examples/load-batch.js nightly 1000
 */
import { connectFleet, formatUsd, type TaskInput } from 'haiku-fleet';

const [batch = 'nightly', count = '1000'] = process.argv.slice(2);

/** Any iterable is accepted, also one that reads a file or a database: only one chunk is held in memory. */
function* makeTasks(): Generator<TaskInput> {
  for (let number = 1; number <= Number(count); number += 1) {
    yield { description: `Describe the number ${number} in one sentence.`, kind: 'other', topics: ['numbers'] };
  }
}

const fleet = await connectFleet();
try {
  const report = await fleet.tasks.addMany(makeTasks(), {
    batch,
    budgetUsd: 1, // of this batch alone; reaching it parks the remaining tasks
    onProgress: ({ added, existing }) => console.log(`${added} added, ${existing} there already`),
    onInvalid: (line, message) => console.error(`line ${line}: ${message}`),
  });

  let failed = 0;
  let ended = 0;
  for await (const end of fleet.tasks.ends(report.ids, { timeoutMs: 60 * 60_000 })) {
    ended += 1;
    if (end.state === 'completed') continue; // end.finding holds the result
    failed += 1;
    console.error(`${end.id}: ${end.state === 'failed' ? end.reason : 'neither its job nor its finding is there'}`);
  }
  const { settledNanoUsd } = await fleet.batch(batch);
  console.log(`${ended} ended, ${failed} failed, ${formatUsd(settledNanoUsd, 4)}`);
  if (failed > 0) process.exitCode = 1;
} finally {
  await fleet.close();
}
