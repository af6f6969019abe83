import type { Db } from '../redis/db.ts';

/** Ids of one read. */
const PAGE = 500;

/**
 * Returns a function that passes each id in the task lists of all memory shards once, in pages; one that it failed for is passed
 * again. Old programs only append to the lists: their length at the last read is the place of the next one.
 */
export function createListReader({ redis, keys }: Db): (handle: (ids: string[]) => Promise<unknown>) => Promise<void> {
  const read = new Map<string, number>();

  async function readShard(shard: string, handle: (ids: string[]) => Promise<unknown>): Promise<void> {
    const list = keys.oldShard(shard, 'tasks');
    for (;;) {
      const from = read.get(shard) ?? 0;
      const ids = await orEmpty(redis.lrange(list, from, from + PAGE - 1));
      if (ids.length === 0) {
        if (from > 0 && Number(await orEmpty(redis.llen(list))) < from) read.delete(shard); // a program made it anew
        return;
      }
      await handle(ids);
      read.set(shard, from + ids.length);
    }
  }

  return async (handle) => {
    for (const shard of await orEmpty(redis.smembers(keys.memoryShards))) await readShard(shard, handle);
  };
}

/** A key of another type holds nothing for us. */
async function orEmpty<T>(reading: Promise<T>): Promise<T | never[]> {
  return reading.catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return [];
    throw error;
  });
}
