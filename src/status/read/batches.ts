import { countCancelled } from '../../jobs/cancelled.ts';
import type { Db } from '../../redis/db.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import { readPaceFacts, toPace } from '../../tasks/batch/pace.ts';
import type { BatchLine } from '../types.ts';

/** Batches that a status looks at, the newest. It bounds the size of a status. */
export const NEWEST_BATCHES = 5;

/**
 * Reads those of the batches that have tasks to do, in one round trip.
 * @param names newest first; one without a record is left out
 * @param now by Redis' clock, ms since 1970
 */
export async function readBatchLines(db: Db, names: readonly string[], now: number): Promise<BatchLine[]> {
  const lines = await Promise.all(names.map((name) => readLine(db, name, now)));
  return lines
    .filter((line) => line !== null)
    .filter(({ completed, failed, cancelled, tasks }) => completed + failed + cancelled < tasks);
}

async function readLine(db: Db, batch: string, now: number): Promise<BatchLine | null> {
  const { redis, keys } = db;
  const chain = redis
    .pipeline()
    .hget(keys.batch(batch), 'tasks')
    .hmget(keys.spend(`batch:${batch}`), 'settled', 'limit')
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch));
  // A damaged key reads as a missing one: it must not hide the rest of the status.
  const replies = ((await readPaceFacts(chain, { keys, now }, batch).exec()) ?? []).map(([error, reply]) =>
    error === null ? reply : null,
  );
  const [tasks, spend, completed, failed, count, oldest] = replies;
  if (typeof tasks !== 'string') return null;
  const [settled, limit] = Array.isArray(spend) ? (spend as (string | null)[]) : [];
  const ended = Number(failed);
  const cancelled = ended === 0 ? 0 : await countCancelled(db, 'tasks', keys.batchFailed(batch)).catch(() => 0);
  return {
    batch,
    tasks: toStoredCount(tasks),
    completed: Number(completed),
    failed: Math.max(0, ended - cancelled),
    cancelled,
    pace: toPace({ count, oldest, open: toStoredCount(tasks) - Number(completed) - ended, now }),
    costNanoUsd: toStoredCount(settled),
    limitNanoUsd: typeof limit === 'string' ? toStoredCount(limit) : null,
  };
}
