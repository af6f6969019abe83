import { toRedisError } from './connect.ts';

/** Runs what talks to Redis: one that is gone, or full, says so in one sentence. @throws RedisUnusableError, or what `work` throws */
export async function withPlainErrors<T>(redisUrl: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toRedisError(error, redisUrl);
  }
}
