import { loadConfig } from '../config/environment.ts';
import type { Fleet } from './types.ts';

/** The options of a connection. */
export interface FleetOptions {
  /** Default `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  redisUrl?: string;
  /** Name of the swarm; default `FLEET_SWARM`, else the default swarm. */
  swarm?: string;
}

/**
 * Connects to a running fleet. Reads the same variables and `.env` as the fleet's processes.
 * @throws RedisUnusableError within a second when Redis is not reachable; ConfigError
 */
export async function connectFleet(options: FleetOptions = {}): Promise<Fleet> {
  const config = loadConfig({
    ...process.env,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.swarm === undefined ? {} : { FLEET_SWARM: options.swarm }),
  });
  const { openFleet } = await import('./open-fleet.ts'); // a script that only defines tasks loads no Redis client
  const { inner: _inner, ...fleet } = await openFleet(config);
  return fleet;
}
