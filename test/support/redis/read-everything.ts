import type { Redis } from 'ioredis';

/** All that a Redis holds, as one text: names of keys, fields, members and values. */
export async function readEverything(redis: Redis): Promise<string> {
  const found: unknown[] = [];
  for (const key of await redis.keys('*')) found.push(key, await readOne(redis, key));
  return JSON.stringify(found);
}

async function readOne(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'string') return redis.get(key);
  if (type === 'hash') return redis.hgetall(key);
  if (type === 'list') return redis.lrange(key, 0, -1);
  if (type === 'set') return redis.smembers(key);
  if (type === 'zset') return redis.zrange(key, 0, '-1');
  if (type === 'stream') return redis.xrange(key, '-', '+');
  throw new Error(`${key}: a type that no test reads: ${type}`);
}
