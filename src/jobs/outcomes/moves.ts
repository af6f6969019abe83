import { DelayedError, RateLimitError, WaitingError } from 'bullmq';
import { allModelsCoolMs, withJitter } from './backoff.ts';
import { noteBegunDelay } from './begun-first.ts';
import type { ThrownRun } from './types.ts';

/** Writes a line into the job's log and counts the outcome. Call it before the job moves. */
export async function note({ job, parts, counter }: ThrownRun, line: string): Promise<void> {
  await parts.db.redis.hincrby(parts.db.keys.counters, counter, 1);
  await job.log(`${new Date().toISOString()} ${line} (${parts.workerId})`);
}

/** Puts the job back to waiting. @returns the error that makes BullMQ leave the moved job unchanged */
export async function backToWaiting(thrown: Error, run: ThrownRun, why = thrown.message): Promise<Error> {
  await note(run, `back to waiting: ${why}`);
  await run.job.moveToWait(run.token);
  return new WaitingError();
}

/**
 * Delays the job. If all models in use cool down, the tasks queue stops instead, until the first of them is free.
 * @returns the error that makes BullMQ leave the moved job unchanged, or stop the queue
 */
export async function delay(thrown: Error, run: ThrownRun, ms: number): Promise<Error> {
  const { job, token, parts } = run;
  const waitMs = withJitter(ms);
  await note(run, `waits ${Math.ceil(waitMs / 1000)} s: ${thrown.message}`);
  // Only the tasks queue serves several models at once; the archive's shards have a gate of their own.
  const all = job.queueName === 'tasks' ? await allModelsCoolMs(parts.db, Date.now()) : 0;
  if (all > 0) {
    await parts.queue.rateLimit(all);
    return new RateLimitError();
  }
  const dueAt = Date.now() + waitMs;
  if (job.queueName === 'tasks') await noteBegunDelay(parts.db, job.id ?? '', dueAt);
  await job.moveToDelayed(dueAt, token);
  return new DelayedError();
}
