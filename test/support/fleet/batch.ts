import { addBatch } from '../../../src/tasks/batch/add.ts';
import type { BatchOptions, BatchReport } from '../../../src/tasks/batch/types.ts';
import { followBatch, type BatchEnd, type BatchNow } from '../../../src/tasks/batch/follow.ts';
import { readEntries } from '../../../src/tasks/batch/read-entries.ts';
import { eachResult, type ResultLine } from '../../../src/tasks/batch/results.ts';
import { openSpool, type Spool } from '../../../src/tasks/batch/spool.ts';
import { createProducer } from '../../../src/tasks/enqueue.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';

export interface LoadedBatch {
  report: BatchReport;
  spool: Spool;
  invalid: { line: number; message: string }[];
  /** Waits for the batch as `fleet task --file --wait` does. */
  follow(onProgress?: (now: BatchNow) => void): Promise<BatchEnd>;
  results(): Promise<ResultLine[]>;
}

/** Loads JSONL lines as `fleet task --file` does; a line that is no string is written as JSON. */
export async function loadBatch(
  redis: TestRedis,
  fleet: OpenFleet,
  lines: unknown[],
  options: BatchOptions & { batch: string },
): Promise<LoadedBatch> {
  const { db, queues, currentSession, config } = fleet.inner;
  const producer = createProducer(db, queues.tasks);
  const spool = openSpool();
  redis.cleanup(() => spool.remove());
  const invalid: LoadedBatch['invalid'] = [];
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const report = await addBatch(
    { db, queues, producer, currentSession, configured: toConfigured(config) },
    readEntries(
      (async function* () {
        yield text;
      })(),
    ),
    {
      ...options,
      onInvalid(line, message) {
        invalid.push({ line, message });
        spool.add({ line, error: message });
      },
      onTask: (line, task) => spool.add({ line, id: task.id, findingId: toFindingId(task.id, task.input.finding_id) }),
    },
  );
  const parts = { db, queue: queues.tasks };
  const tasks = report.added + report.existing;
  return {
    report,
    spool,
    invalid,
    follow: (onProgress = () => undefined) => followBatch(parts, options.batch, { spool, tasks, onProgress }),
    async results() {
      const found: ResultLine[] = [];
      for await (const result of eachResult(db, queues.tasks, spool)) found.push(result);
      return found;
    },
  };
}
