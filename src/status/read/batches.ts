import { countCancelled } from '../../jobs/cancelled.ts';
import type { Db } from '../../redis/db.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import { readPaceFacts, toPace } from '../../tasks/batch/pace.ts';
import { countParked } from '../../tasks/batch/list/count-parked.ts';
import type { BatchLine } from '../types.ts';
import { SAMPLE } from './queues.ts';

/** Batches that a status looks at, the newest. It bounds the size of a status. */
export const NEWEST_BATCHES = 5;

/**
 * Reads those of the batches that have tasks to do, in one round trip.
 * @param names newest first; one without a record is left out
 * @param facts `now`: by Redis' clock, ms since 1970; `parkedCount`: of all jobs
 */
export async function readBatchLines(
  db: Db,
  names: readonly string[],
  { now, parkedCount }: { now: number; parkedCount: number },
): Promise<BatchLine[]> {
  const isLookedAt = names.length > 0 && parkedCount > 0 && parkedCount <= SAMPLE;
  const parked = isLookedAt ? await countParked(db) : new Map<string, number>();
  const of = (name: string): number | null => (parkedCount > SAMPLE ? null : (parked.get(name) ?? 0));
  const lines = await Promise.all(names.map((name) => readLine(db, name, { now, parked: of(name) })));
  return lines
    .filter((line) => line !== null)
    .filter(({ completed, failed, cancelled, tasks }) => completed + failed + cancelled < tasks);
}

async function readLine(
  db: Db,
  batch: string,
  { now, parked }: { now: number; parked: number | null },
): Promise<BatchLine | null> {
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
  const open = Math.max(0, toStoredCount(tasks) - Number(completed) - ended);
  const held = parked === null ? null : Math.min(parked, open);
  const cancelled = ended === 0 ? 0 : await countCancelled(db, 'tasks', keys.batchFailed(batch)).catch(() => 0);
  return {
    batch,
    tasks: toStoredCount(tasks),
    completed: Number(completed),
    failed: Math.max(0, ended - cancelled),
    cancelled,
    parked: held,
    pace: toPace({ count, oldest, open, parked: held, now }),
    costNanoUsd: toStoredCount(settled),
    limitNanoUsd: typeof limit === 'string' ? toStoredCount(limit) : null,
  };
}
