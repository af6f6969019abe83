import type { Db } from './db.ts';

/**
 * Stores a value under a key that does not exist. The client sends the command twice if its connection broke: a key that holds
 * this value was claimed by the first time.
 * @param value unlike that of any other claim
 * @param seconds the key expires after them; undefined: it does not
 * @returns whether the key holds this value now
 */
export async function claim(
  { redis, redact }: Pick<Db, 'redis' | 'redact'>,
  key: string,
  value: string,
  seconds?: number,
): Promise<boolean> {
  const stored = seconds === undefined ? redis.set(key, value, 'NX') : redis.set(key, value, 'EX', seconds, 'NX');
  return (await stored) !== null || (await redis.mget(key))[0] === redact(value);
}
