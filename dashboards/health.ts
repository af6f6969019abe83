import { randomBytes } from 'node:crypto';
import type { Db } from '../src/redis/db.ts';

/** Writes a value and reads it back. @throws Error if Redis is away, full or read-only, or if the value is missing */
export async function checkHealth({ redis, keys }: Db): Promise<{ redisMs: number }> {
  const value = randomBytes(8).toString('hex');
  const began = performance.now();
  await redis.set(keys.healthCheck, value, 'EX', 60);
  const read = await redis.get(keys.healthCheck);
  // Several dashboards may check at once, so the value may be another one's; it proves the same.
  if (read === null) throw new Error('a value just written is not there');
  return { redisMs: Math.round((performance.now() - began) * 100) / 100 };
}
