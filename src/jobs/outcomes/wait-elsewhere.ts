import { DelayedError } from 'bullmq';
import type { HeldElsewhereError } from '../../errors.ts';
import { delayJob } from '../redis-time.ts';
import { promoteById } from '../wake/promote.ts';
import { note } from './moves.ts';
import type { ThrownRun } from './types.ts';

/** Longest wait without a look, ms: a claim may have no end. */
const LONGEST_WAIT_MS = 300_000;
/** The claim has ended by then. */
const LATER_MS = 100;

/**
 * Delays a job whose task another program's worker has claimed. The bridge wakes it when that worker is done, or its claim is gone; without
 * a bridge it comes back by itself.
 * @returns the error for BullMQ
 */
export async function waitElsewhere(thrown: HeldElsewhereError, run: ThrownRun): Promise<Error> {
  const { job, token, parts } = run;
  const { redis, keys } = parts.db;
  const { oldId: id, by, result, delayMs } = thrown;
  const jobId = job.id ?? '';
  const waitMs = Math.min(delayMs, LONGEST_WAIT_MS) + LATER_MS;
  await note(run, `waits ${Math.ceil(waitMs / 1000)} s: ${thrown.message}`, {
    kind: 'wait',
    reason: thrown.message,
    until: parts.db.clock.now() + waitMs,
  });
  await delayJob(job, token, waitMs);
  if (by === '') return new DelayedError();
  await redis.hset(keys.bridge('held'), id, JSON.stringify({ job: jobId, by, result }));
  // What happened before the note woke nobody.
  const [claimed = null, found = null] = await redis.mget(keys.oldTask(id, 'claimed'), keys.oldTask(id, 'result'));
  if (claimed === null || (found ?? '') !== result) await promoteById(parts.queue, jobId);
  return new DelayedError();
}
