import type { Db } from '../redis/db.ts';

/**
 * What is stored under `finding:<id>`, as JSON text; null where there is nothing. Older programs stored hashes: those
 * come as the JSON of their fields; any other type counts as nothing.
 */
export async function readFindingTexts({ redis, keys }: Db, ids: readonly string[]): Promise<(string | null)[]> {
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => keys.finding(id))); // null for a hash: MGET never fails on a type
  const missing = ids.flatMap((id, at) => (texts[at] === null ? [{ id, at }] : []));
  if (missing.length === 0) return texts;
  const chain = redis.pipeline();
  for (const { id } of missing) chain.hgetall(keys.finding(id));
  const hashes = (await chain.exec()) ?? [];
  for (const [place, { at }] of missing.entries()) {
    const [error, hash] = hashes[place] ?? [];
    if (error !== null && error !== undefined && !error.message.startsWith('WRONGTYPE')) throw error;
    if (error === null && typeof hash === 'object' && hash !== null && Object.keys(hash).length > 0) {
      texts[at] = JSON.stringify(hash);
    }
  }
  return texts;
}
