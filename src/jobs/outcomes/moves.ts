import { randomUUID } from 'node:crypto';
import { DelayedError, RateLimitError, WaitingError } from 'bullmq';
import type { RunNote } from '../../run-record/types.ts';
import { allModelsCoolMs, withJitter } from './backoff.ts';
import { delayJob } from '../redis-time.ts';
import { noteBegunDelay } from '../wake/begun-first.ts';
import { noteWait } from '../wake/note-wait.ts';
import type { WakeReason } from '../wake/reason.ts';
import type { ThrownRun } from './types.ts';

/** Writes a line into the job's log and an entry into its record, and counts the outcome, all once. Call it before the job moves. */
export async function note({ job, parts, counter }: ThrownRun, line: string, entry: RunNote): Promise<void> {
  const { record } = parts;
  const { keys, scripts, clock } = parts.db;
  const [queue, id] = [job.queueName, job.id ?? ''];
  record?.note(entry);
  await scripts['note-outcome'](
    { counters: keys.counters, job: keys.queueKey(queue, id), logs: keys.jobLogs(queue, id), run: keys.run(id) },
    [
      counter,
      `${clock.date().toISOString()} ${line} (${parts.workerId})`,
      randomUUID(),
      JSON.stringify(record?.take() ?? []),
    ],
  );
}

/** Puts the job back to waiting. @returns the error that makes BullMQ leave the moved job unchanged */
export async function backToWaiting(
  thrown: Error,
  run: ThrownRun,
  why = thrown.message,
  entry: RunNote = { kind: 'back', reason: thrown.message },
): Promise<Error> {
  await note(run, `back to waiting: ${why}`, entry);
  await run.job.moveToWait(run.token);
  return new WaitingError();
}

/** What wakes a delayed job before its time. */
export interface WakeOn {
  reason: WakeReason;
  /** See `NotedWait`. */
  worstNanoUsd?: number;
}

/**
 * Delays the job. If all models in use cool down, the tasks queue stops instead, until the first of them is free; a job that was taken to
 * look behind that stop is delayed all the same.
 * @param wakeOn null: only its time brings it back
 * @returns the error that makes BullMQ leave the moved job unchanged, or stop the queue
 */
export async function delay(thrown: Error, run: ThrownRun, ms: number, wakeOn: WakeOn | null): Promise<Error> {
  const { job, token, parts } = run;
  const waitMs = withJitter(ms);
  const until = parts.db.clock.now() + waitMs;
  await note(run, `waits ${Math.ceil(waitMs / 1000)} s: ${thrown.message}`, {
    kind: 'wait',
    reason: thrown.message,
    until,
  });
  // Only the tasks queue serves several models at once; the archive's shards have a gate of their own.
  const all = job.queueName === 'tasks' ? await allModelsCoolMs(parts.db) : 0;
  const jobId = job.id ?? '';
  if (all > 0 && parts.onAllCool?.(jobId) !== false) {
    await parts.queue.rateLimit(all);
    return new RateLimitError();
  }
  const dueAt = parts.db.clock.now() + waitMs;
  if (job.queueName === 'tasks') await noteBegunDelay(parts.db, jobId, dueAt);
  await delayJob(job, token, waitMs);
  if (wakeOn !== null) {
    const { reason, worstNanoUsd = 0 } = wakeOn;
    await noteWait(parts.db, { queue: job.queueName, jobId, worstNanoUsd }, reason, dueAt);
    if (reason.kind === 'money') parts.onMoneyAwaited?.();
  }
  return new DelayedError();
}
