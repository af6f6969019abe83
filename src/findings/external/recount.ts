import type { Db } from '../../redis/db.ts';
import { readStored, toStoredText, toStoredTokens } from '../stored.ts';

/** Findings read in one command. */
const PAGE = 500;

/**
 * Counts `context:active` from the index, if a script asked for it or the key is missing: another program removed or replaced it.
 * What is stored meanwhile is kept. A value that is no number stays, because a person decides about it.
 * @returns by how much it was wrong, tokens; null: it was not counted
 */
export async function recountContext(db: Db): Promise<number | null> {
  const { redis, keys } = db;
  const [asked, there, findings] = await Promise.all([
    redis.exists(keys.recount),
    redis.exists(keys.contextActive),
    redis.zcard(keys.index),
  ]);
  if (asked === 0 && (there === 1 || findings === 0)) return null;
  const { ids, before } = await readTogether(db);
  if (before === null) return null;
  await redis.del(keys.recount); // before the findings are read: a script that asks meanwhile is heard
  let tokens = 0;
  for (let from = 0; from < ids.length; from += PAGE) {
    const values = await readStored(db, ids.slice(from, from + PAGE));
    for (const value of values) tokens += value === null ? 0 : toStoredTokens(toStoredText(value));
  }
  const wrongBy = tokens - before;
  if (wrongBy !== 0 || there === 0) await redis.incrby(keys.contextActive, wrongBy);
  return wrongBy;
}

/** Reads the index and the total of one moment. `before` is null where the key holds no whole number. */
async function readTogether({ redis, keys }: Db): Promise<{ ids: string[]; before: number | null }> {
  const [listed, total, type] = (await redis
    .multi()
    .zrange(keys.index, 0, '-1')
    .mget(keys.contextActive)
    .type(keys.contextActive)
    .exec()) as [[null, string[]], [null, (string | null)[]], [null, string]];
  const text = total[1][0] ?? null;
  if (type[1] !== 'none' && !/^-?\d{1,15}$/.test(text ?? '')) return { ids: [], before: null };
  return { ids: listed[1], before: Number(text ?? 0) };
}
