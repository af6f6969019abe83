import type { Db } from '../../redis/db.ts';
import type { OldWorker } from '../types.ts';

/** Most workers of other programs that are known at a time. */
const MOST = 1_000;
/** One that has given no sign for so long is forgotten. */
const FORGET_AFTER_MS = 24 * 3600_000;
const SCAN_COUNT = 1_000;

/** Looks for heartbeats of other programs' workers. A look reads all keys: take it seldom. */
export async function findOldWorkers(db: Db): Promise<void> {
  const { redis, keys, clock } = db;
  const prefix = keys.workerStatus('');
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    await noteOldWorkers(
      db,
      found.map((key) => key.slice(prefix.length)),
    );
  } while (cursor !== '0');
  const known = await redis.hgetall(keys.oldWorkers);
  const gone = Object.keys(known).filter((id) => clock.now() - Number(known[id]) > FORGET_AFTER_MS);
  if (gone.length > 0) await redis.hdel(keys.oldWorkers, ...gone);
}

/** Remembers those of these ids that are live workers of other programs. */
export async function noteOldWorkers({ redis, keys, clock }: Db, ids: readonly string[]): Promise<void> {
  const unique = [...new Set(ids)].filter((id) => id !== '').slice(0, MOST);
  if (unique.length === 0) return;
  const [own, signs, count] = await Promise.all([
    redis.hmget(keys.workers, ...unique),
    redis.mget(unique.map((id) => keys.workerStatus(id))),
    redis.hlen(keys.oldWorkers),
  ]);
  const live = unique.filter((_, i) => own[i] === null && (signs[i] ?? null) !== null);
  const known = live.slice(0, Math.max(0, MOST - count));
  if (known.length > 0) await redis.hset(keys.oldWorkers, ...known.flatMap((id) => [id, clock.now()]));
}

/**
 * The live workers of other programs among the known ones, by id.
 * @param known what `keys.oldWorkers` holds @param own what `keys.workers` holds
 */
export async function readOldWorkers(
  { redis, keys }: Db,
  known: Record<string, string>,
  own: Record<string, string>,
): Promise<OldWorker[]> {
  const ids = Object.keys(known).filter((id) => !(id in own));
  if (ids.length === 0) return [];
  const signs = await redis.mget(ids.map((id) => keys.workerStatus(id)));
  return ids
    .flatMap((id, i) => (signs[i] ? [{ id, seenAt: signs[i] }] : []))
    .toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}
