import { toTaskId } from '../../../queues/ids.ts';
import type { Db } from '../../redis/db.ts';
import { findJobs } from './jobs-there.ts';

/** How long the record of a batch stays after it was first loaded; then as long as one of its jobs is there. */
export const BATCH_KEPT_DAYS = 90;

/** Batches, and tasks of a batch, of one read. */
const PAGE = 500;

/**
 * Deletes the records of batches that are over: first loaded long ago, and none of its tasks has a job. Its findings, their index
 * and its booked cost stay.
 * @returns how many
 */
export async function forgetBatches(db: Db, nowMs: number): Promise<number> {
  const { redis, keys } = db;
  const before = nowMs - BATCH_KEPT_DAYS * 86_400_000;
  let forgotten = 0;
  for (let from = 0; ; from += PAGE) {
    const batches = await redis.zrangebyscore(keys.batches, '-inf', before, 'LIMIT', from, PAGE);
    if (batches.length === 0) return forgotten;
    for (const batch of batches) {
      if (await hasJobs(db, batch)) continue;
      await redis.del(keys.batch(batch), keys.batchFailed(batch));
      from -= await redis.zrem(keys.batches, batch); // last: a batch still listed after a crash is found again
      forgotten += 1;
    }
  }
}

async function hasJobs(db: Db, batch: string): Promise<boolean> {
  const lines = Number((await db.redis.hget(db.keys.batch(batch), 'lines')) ?? 0);
  for (let line = 1; line <= lines; line += PAGE) {
    const ids = Array.from({ length: Math.min(PAGE, lines - line + 1) }, (_, i) => toTaskId(batch, line + i));
    if ((await findJobs(db, ids)).size > 0) return true;
  }
  return false;
}
