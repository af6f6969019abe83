import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { countCancelled, isCancelled } from '../../jobs/cancelled.ts';
import { readJobs, readWritten } from '../../jobs/state/states.ts';
import { createPatience } from '../../redis/errors/patience.ts';
import type { Db } from '../../redis/db.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { AwaitedReason } from '../../jobs/wake/reason.ts';
import { readHeld } from './progress.ts';
import { readPaceFacts, toPace } from './pace.ts';
import type { BatchPace } from './types.ts';
import type { Spool } from './spool.ts';

/** Why the wait for a batch ended. `cancelled`: none failed, and a person cancelled some. `parked`: all others have ended, and some tasks wait for a higher budget. */
export type BatchEnd = 'done' | 'failed' | 'cancelled' | 'halted' | 'parked';

/** Tasks of one load by state. */
interface Tally {
  completed: number;
  failed: number;
  cancelled: number;
  parked: number;
  /** Neither job nor finding exists: counts as failed. */
  missing: number;
  /** Waiting or running. */
  open: number;
}

/** How far a batch is, while it is followed. */
export interface BatchNow {
  completed: number;
  /** Without the cancelled ones. */
  failed: number;
  cancelled: number;
  /** Null while it is not known. */
  pace: BatchPace | null;
  /** Tasks that wait for a higher budget or a person, and what delayed ones wait for; read every five seconds. */
  parked: number;
  waits: AwaitedReason[];
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
  options: {
    spool: Spool;
    tasks: number;
    onProgress: (progress: BatchNow) => void;
    /** Takes a line when Redis goes away, and when it is back. */
    say?: (line: string) => void;
  },
): Promise<BatchEnd> {
  const { db, queue } = parts;
  const patiently = createPatience(options.say ?? (() => undefined));
  let pollMs = FIRST_POLL_MS;
  let lookAt = 0;
  let quietPolls = 0;
  let heldAt = performance.now() + LOOK_AGAIN_MS;
  let held: Pick<BatchNow, 'parked' | 'waits'> | null = null; // not known before its first look
  let counted = { ended: 0, cancelled: 0 };
  const { keys } = db;
  for (;;) {
    const { completed, ended, halted, parked, findings } = await patiently(() => readCounters(db, batch));
    if (ended !== counted.ended) {
      counted = {
        ended,
        cancelled: await patiently(() => countCancelled(db, queue.name as QueueName, keys.batchFailed(batch))),
      };
    }
    const { cancelled } = counted;
    if (performance.now() >= heldAt) {
      held = await patiently(() => readHeld(db, batch));
      heldAt = performance.now() + LOOK_AGAIN_MS;
    }
    const { parked: ofBatch, waits } = held ?? { parked: null, waits: [] };
    const pace = toPace({ ...findings, open: options.tasks - completed - ended, parked: ofBatch });
    options.onProgress({
      completed,
      failed: Math.max(0, ended - cancelled),
      cancelled,
      pace,
      parked: ofBatch ?? 0,
      waits,
    });
    quietPolls = (await patiently(() => isQuiet(queue))) ? quietPolls + 1 : 0;
    const maybeEnded = completed + ended + parked >= options.tasks || quietPolls >= 3 || halted;
    if (maybeEnded && (halted || performance.now() >= lookAt)) {
      const tally = await patiently(() => tallyBatch(parts, options.spool));
      if (tally.open === 0) {
        if (tally.parked > 0) return 'parked';
        if (tally.failed + tally.missing > 0) return 'failed';
        return tally.cancelled > 0 ? 'cancelled' : 'done';
      }
      if (halted) return 'halted';
      // Once the tasks have ended their jobs follow in a moment; parked jobs of other batches may hold the sum for long.
      lookAt = performance.now() + (completed + ended >= options.tasks ? pollMs : LOOK_AGAIN_MS);
    }
    await sleep(pollMs);
    pollMs = Math.min(POLL_MS, pollMs * 1.3);
  }
}

/** Looks at every job of a load. */
async function tallyBatch({ db, queue }: { db: Db; queue: Queue }, spool: Spool): Promise<Tally> {
  const { redis, keys } = db;
  const tally: Tally = { completed: 0, failed: 0, cancelled: 0, parked: 0, missing: 0, open: 0 };
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
      const job = jobs[i];
      const state = job?.state ?? 'unknown';
      if (job?.state === 'failed') tally[isCancelled(job.reason) ? 'cancelled' : 'failed'] += 1;
      else if (written[i]) tally.completed += 1;
      else if (typeof marks[i] === 'string') tally.parked += 1;
      else if (state === 'unknown' || state === 'completed') tally.missing += 1;
      else tally.open += 1;
    }
  }
  return tally;
}

async function readCounters(
  { redis, keys, clock }: Db,
  batch: string,
): Promise<{
  completed: number;
  ended: number;
  halted: boolean;
  /** Of all batches. */
  parked: number;
  findings: { count: unknown; oldest: unknown; now: number };
}> {
  const now = clock.now();
  const chain = redis
    .pipeline()
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch))
    .exists(keys.haltReason)
    .hlen(keys.parked);
  const replies = ((await readPaceFacts(chain, { keys, now }, batch).exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const [completed = 0, ended = 0, halted = 0, parked = 0] = replies.slice(0, 4).map(Number);
  const findings = { count: replies[4], oldest: replies[5], now };
  return { completed, ended, halted: halted > 0, parked, findings };
}

/** Whether no job waits or runs. Delayed jobs wait for their time or their budget. */
async function isQuiet(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts('wait', 'active', 'prioritized', 'waiting-children');
  return Object.values(counts).every((count) => count === 0);
}
