import type { Db } from '../../redis/db.ts';

/** How long an ended mission stays listed. Its finding stays for ever. */
export const KEEP_DAYS = 90;

/** Why a mission is not there, for people. */
export async function describeMissingMission({ redis, keys }: Db, id: string): Promise<string> {
  const isForgotten = (await redis.exists(keys.spend(`mission:${id}`))) === 1; // it outlives the record
  if (isForgotten) {
    return `mission ${id}: its plan is forgotten, as everything of a mission is ${KEEP_DAYS} days after its end; plan it anew: fleet mission "…" --dry-run`;
  }
  const newest = await redis.zrevrange(keys.missions, 0, 4);
  const known = newest.length === 0 ? 'there is none yet' : `the newest are ${newest.join(', ')}`;
  return `mission ${JSON.stringify(id)}: there is none of this id; ${known}`;
}
