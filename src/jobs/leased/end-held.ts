import { WaitingError, type Queue } from 'bullmq';
import type { TaskResult } from '../../../queues/tasks.ts';
import { toFindingId } from '../../findings/finding.ts';
import { createHaltSwitch } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { isNotHeld } from '../not-held.ts';
import { fail } from '../outcomes/failure.ts';

/** Where the tasks are that outside workers hold. */
export interface HeldParts {
  db: Db;
  /** The tasks queue. */
  queue: Queue;
}

/** Ends a task as done by its lease. @returns false: the lease no longer holds it, or its end was sent twice */
export async function completeHeld(
  { db, queue }: HeldParts,
  jobId: string,
  token: string,
  result: TaskResult,
): Promise<boolean> {
  const job = await queue.getJob(jobId);
  if (job === undefined) return false;
  try {
    await job.moveToCompleted(result, token, false);
    return true;
  } catch (error) {
    if (isNotHeld(error)) return false;
    throw error;
  } finally {
    await db.redis.zrem(db.keys.outsideLeases, jobId);
  }
}

/** Fails a task by its lease. @param by who does so, for the job's log. @returns false: the lease no longer holds it */
export async function failHeld(
  { db, queue }: HeldParts,
  jobId: string,
  { token, by, error, record }: { token: string; by: string; error: Error; record?: RunRecord | undefined },
): Promise<boolean> {
  const job = await queue.getJob(jobId);
  if (job === undefined) return false;
  const halt = createHaltSwitch(db, [queue]);
  const outcome = await fail(error, {
    job,
    token,
    parts: { db, queue, halt, log: { error: () => undefined }, workerId: by, record },
  });
  if (outcome instanceof WaitingError) return false;
  job.opts.attempts = 1; // as the fleet's workers do: it fails once, and stays with its reason
  delete job.opts.removeOnFail;
  try {
    await job.moveToFailed(outcome, token, false);
    return true;
  } catch (moved) {
    if (isNotHeld(moved)) return false;
    throw moved;
  } finally {
    await db.redis.zrem(db.keys.outsideLeases, jobId);
  }
}

/**
 * Ends a held task whose finding is stored: its outside worker, or the process that took the report, died before the job ended.
 * @param data JSON of the job's data
 * @returns whether it had a finding of its own
 */
export async function completeRecorded(parts: HeldParts, jobId: string, data: string | null): Promise<boolean> {
  const { redis, keys } = parts.db;
  const wanted = Reflect.get(parseRecord(data) ?? {}, 'finding_id') as unknown;
  const findingId = toFindingId(jobId, typeof wanted === 'string' ? wanted : undefined);
  const [token, [text]] = await Promise.all([
    redis.get(keys.jobLock('tasks', jobId)),
    redis.mget(keys.finding(findingId)), // null where it holds no text
  ]);
  if (token === null || text?.includes(`"job_id":${JSON.stringify(jobId)}`) !== true) return false;
  return completeHeld(parts, jobId, token, { findingId, costNanoUsd: 0 });
}
