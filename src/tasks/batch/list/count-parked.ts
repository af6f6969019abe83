import type { Db } from '../../../redis/db.ts';

/** How many tasks of each batch are parked: the id of a task is the name of its batch and a line. */
export async function countParked({ redis, keys }: Db): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(keys.parked, cursor, 'COUNT', 1_000);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) {
      const [, batch] = /^(.*)-\d+$/.exec(found[i] ?? '') ?? [];
      if (batch !== undefined) counts.set(batch, (counts.get(batch) ?? 0) + 1);
    }
  } while (cursor !== '0');
  return counts;
}
