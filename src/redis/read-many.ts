import type { Redis, RedisCommander } from 'ioredis';

/** One command each. Its type is the one that the same command has on a connection. */
type Reads = Record<string, (redis: RedisCommander) => Promise<unknown>>;

/**
 * Sends several commands in one round trip, and returns their replies by name.
 * @example const { live, halt } = await readMany(redis, { live: (r) => r.zcard(keys.index), halt: (r) => r.get(keys.haltReason) });
 * A key of another type reads as a missing key: one damaged key must not hide the others.
 * @throws the first other error among the replies
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
    if (error?.message.startsWith('WRONGTYPE') === true) return [name, emptyReply(error)];
    if (error) throw error;
    return [name, reply];
  });
  return Object.fromEntries(entries) as { [Name in keyof R]: Awaited<ReturnType<R[Name]>> };
}

/** What the command returns for a missing key. */
function emptyReply(error: Error & { command?: { name: string } }): unknown {
  const name = error.command?.name.toLowerCase() ?? '';
  if (name === 'hgetall') return {};
  if (/card|len|count|exists/.test(name)) return 0;
  return /range|members|keys|vals|mget/.test(name) ? [] : null;
}
