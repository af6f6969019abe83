import type { Redis } from 'ioredis';

/** All that a Redis holds, as one text: names of keys, fields, members and values. */
export async function readEverything(redis: Redis): Promise<string> {
  return JSON.stringify(Object.entries(await readKeys(redis, '*')).flat());
}

/** What each key of a pattern holds, by its name. */
export async function readKeys(redis: Redis, pattern: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of (await redis.keys(pattern)).sort()) found[key] = await readOne(redis, key);
  return found;
}

async function readOne(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'string') return redis.get(key);
  if (type === 'hash') return redis.hgetall(key);
  if (type === 'list') return redis.lrange(key, 0, -1);
  if (type === 'set') return (await redis.smembers(key)).sort();
  if (type === 'zset') return redis.zrange(key, 0, '-1', 'WITHSCORES');
  if (type === 'stream') return (await redis.xrange(key, '-', '+')).map(([, fields]) => fields);
  if (type === 'none') return null; // it has expired since it was listed
  throw new Error(`${key}: a type that no test reads: ${type}`);
}
