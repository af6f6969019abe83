import type { Redis, RedisCommander } from 'ioredis';

/** One command each. Its type is the one that the same command has on a connection. */
type Reads = Record<string, (redis: RedisCommander) => Promise<unknown>>;

/**
 * Sends several commands in one round trip, and returns their replies by name.
 * @example const { live, halt } = await readMany(redis, { live: (r) => r.zcard(keys.index), halt: (r) => r.get(keys.haltReason) });
 * @throws the first error among the replies
 */
export async function readMany<R extends Reads>(
  redis: Redis,
  reads: R,
): Promise<{ [Name in keyof R]: Awaited<ReturnType<R[Name]>> }> {
  const pipeline = redis.pipeline();
  // A pipeline has the commands of a connection, but collects them.
  for (const read of Object.values(reads)) void read(pipeline as unknown as RedisCommander);
  const replies = (await pipeline.exec()) ?? [];
  const entries = Object.keys(reads).map((name, i): [string, unknown] => {
    const [error, reply] = replies[i] ?? [null, null];
    if (error) throw error;
    return [name, reply];
  });
  return Object.fromEntries(entries) as { [Name in keyof R]: Awaited<ReturnType<R[Name]>> };
}
