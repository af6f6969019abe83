import type { TestRedis } from './use-redis.ts';

/** Variables of a process of the test's swarm: it reads no `.env` of this machine, and no model outside of it. */
export function swarmEnvironment(redis: TestRedis, more: Record<string, string> = {}): Record<string, string> {
  return {
    FLEET_HOME: redis.folder,
    FLEET_DATA: redis.folder,
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    ...more,
  };
}
