import type { Db } from '../../redis/db.ts';

/** A mission that has ended is listed so long; its finding stays for good. */
const KEEP_MS = 90 * 24 * 3600_000;
/** So many are looked at in one go. */
const PAGE = 100;

/** Forgets missions that ended long ago: record, drafts, marks. What they cost stays booked. @returns how many */
export async function pruneMissions({ redis, keys }: Db, now: Date): Promise<number> {
  const ids = await redis.zrangebyscore(keys.missions, '-inf', now.getTime() - KEEP_MS, 'LIMIT', 0, PAGE);
  let pruned = 0;
  for (const id of ids) {
    const [state, endedAt] = await redis.hmget(keys.mission(id), 'state', 'endedAt');
    const isOver = (state === 'done' || state === 'failed') && Date.parse(endedAt ?? '') < now.getTime() - KEEP_MS;
    if (state !== null && !isOver) continue;
    // The list last: a process that dies in between leaves what is found again.
    await redis.del(keys.mission(id), keys.missionAdded(id), keys.paper(id), keys.turns(id));
    await redis.zrem(keys.missions, id);
    pruned += 1;
  }
  return pruned;
}
