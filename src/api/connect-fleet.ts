import { loadConfig } from '../config/environment.ts';
import { assertOptions } from './given/options.ts';
import type { Fleet } from './types.ts';

/** The options of a connection. */
export interface FleetOptions {
  /** Default `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  redisUrl?: string;
  /** Name of the swarm; default `FLEET_SWARM`, else the default swarm. */
  swarm?: string;
  /** Name of the client that pays for all that this connection adds, and within whose budget. Default: no client. */
  client?: string;
}

/**
 * Connects to a running fleet. Reads the same variables and `.env` as the fleet's processes.
 * @throws RedisUnusableError within a second when Redis is not reachable; ConfigError; UsageError for
 *   an option that does not exist
 */
export async function connectFleet(options: FleetOptions = {}): Promise<Fleet> {
  assertOptions('connectFleet', options, ['redisUrl', 'swarm', 'client']);
  const config = loadConfig({
    ...process.env,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.swarm === undefined ? {} : { FLEET_SWARM: options.swarm }),
  });
  const { openFleet } = await import('./open-fleet.ts'); // a script that only defines tasks loads no Redis client
  const { inner: _inner, ...fleet } = await openFleet(config, { client: options.client });
  return fleet;
}
