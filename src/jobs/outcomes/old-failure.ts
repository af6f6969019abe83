import { bridgeStampSchema } from '../../../queues/bridge.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';

/** How long the error of a failed task stays: as long as the failed job does. */
const KEEP_SECONDS = 30 * 24 * 3600;

/** Id of the other program's task that a job answers; null: none, or one of a memory shard, which is told otherwise. */
export function toOldId(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const stamp = bridgeStampSchema.parse(Reflect.get(data, 'bridge'));
  return stamp === undefined || stamp.form === 'v2' ? null : stamp.task;
}

/**
 * Tells another program that its task has failed: `task:<id>:error`. There is no result, so that a retry by a person completes the task.
 * The claim is left to expire. It may run twice.
 */
export async function answerWithFailure(
  { redis, keys, redact, clock }: Db,
  { oldId, jobId, reason, text }: { oldId: string; jobId: string; reason: string; text: string },
): Promise<void> {
  const error = { reason, text, job_id: jobId, at: clock.date().toISOString() };
  const claims = keys.bridge('claims');
  const claim = parseRecord(await redis.hget(claims, oldId));
  const chain = redis.multi().set(keys.oldTask(oldId, 'error'), redact(JSON.stringify(error)), 'EX', KEEP_SECONDS);
  if (claim !== null && Reflect.get(claim, 'job') === jobId)
    chain.hset(claims, oldId, JSON.stringify({ ...claim, left: true }));
  for (const [problem] of (await chain.exec()) ?? []) if (problem) throw problem;
}
