import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { readJobs, readWritten } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';
import type { Spool } from './spool.ts';

/** Why the wait for a batch ended. `parked`: all others have ended, and some tasks wait for a higher budget. */
export type BatchEnd = 'done' | 'failed' | 'halted' | 'parked';

/** Tasks of one load by state. */
interface Tally {
  completed: number;
  failed: number;
  parked: number;
  /** Neither job nor finding exists: counts as failed. */
  missing: number;
  /** Waiting or running. */
  open: number;
}

const CHUNK = 500;
const FIRST_POLL_MS = 100;
const POLL_MS = 1_000;
/** Every job is looked at no more often than this: the counters may be behind or ahead of the jobs for a moment. */
const LOOK_AGAIN_MS = 5_000;

/**
 * Waits until every task of a load has ended. It polls the batch's counters, and looks at each job only when they reach
 * the number of tasks, or when the queue is idle: a worker may die after it wrote a finding and before its job completed.
 */
export async function followBatch(
  parts: { db: Db; queue: Queue },
  batch: string,
  options: { spool: Spool; tasks: number; onProgress: (completed: number, failed: number) => void },
): Promise<BatchEnd> {
  const { db, queue } = parts;
  let pollMs = FIRST_POLL_MS;
  let lookAt = 0;
  let quietPolls = 0;
  for (;;) {
    const [completed, failed, halted, parked] = await readCounters(db, batch);
    options.onProgress(completed, failed);
    quietPolls = (await isQuiet(queue)) ? quietPolls + 1 : 0;
    const maybeEnded = completed + failed + parked >= options.tasks || quietPolls >= 3 || halted > 0;
    if (maybeEnded && (halted > 0 || Date.now() >= lookAt)) {
      const tally = await tallyBatch(parts, options.spool);
      if (tally.open === 0) {
        if (tally.parked > 0) return 'parked';
        return tally.failed + tally.missing > 0 ? 'failed' : 'done';
      }
      if (halted > 0) return 'halted';
      // Once the tasks have ended their jobs follow in a moment; parked jobs of other batches may hold the sum for long.
      lookAt = Date.now() + (completed + failed >= options.tasks ? pollMs : LOOK_AGAIN_MS);
    }
    await sleep(pollMs);
    pollMs = Math.min(POLL_MS, pollMs * 1.3);
  }
}

/** Looks at every job of a load. */
async function tallyBatch({ db, queue }: { db: Db; queue: Queue }, spool: Spool): Promise<Tally> {
  const { redis, keys } = db;
  const tally: Tally = { completed: 0, failed: 0, parked: 0, missing: 0, open: 0 };
  for await (const chunk of spool.chunks(CHUNK)) {
    const tasks = chunk.filter((entry) => 'id' in entry);
    if (tasks.length === 0) continue;
    const ids = tasks.map(({ id }) => id);
    const jobs = await readJobs(db, queue.name, ids); // the jobs first: a job that has completed has its finding
    const written = await readWritten(
      db,
      tasks.map(({ findingId }) => findingId),
    );
    const marks = await redis.hmget(keys.parked, ...ids);
    for (const i of tasks.keys()) {
      const state = jobs[i]?.state ?? 'unknown';
      if (state === 'failed') tally.failed += 1;
      else if (written[i]) tally.completed += 1;
      else if (typeof marks[i] === 'string') tally.parked += 1;
      else if (state === 'unknown' || state === 'completed') tally.missing += 1;
      else tally.open += 1;
    }
  }
  return tally;
}

async function readCounters({ redis, keys }: Db, batch: string): Promise<[number, number, number, number]> {
  const chain = redis
    .pipeline()
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch))
    .exists(keys.haltReason)
    .hlen(keys.parked);
  const replies = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return Number(reply);
  });
  return [replies[0] ?? 0, replies[1] ?? 0, replies[2] ?? 0, replies[3] ?? 0];
}

/** Whether no job waits or runs. Delayed jobs wait for their time or their budget. */
async function isQuiet(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts('wait', 'active', 'prioritized', 'waiting-children');
  return Object.values(counts).every((count) => count === 0);
}
