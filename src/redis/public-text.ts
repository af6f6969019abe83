import type { Redis } from 'ioredis';

/**
 * Reads a public key that should hold text. `GET` would fail where another program stored another type.
 * @returns null: there is no such key, or it holds no text
 */
export async function readPublicText(redis: Redis, key: string): Promise<string | null> {
  const [text = null] = await redis.mget(key);
  return text;
}
