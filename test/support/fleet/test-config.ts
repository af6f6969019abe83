import { loadConfig, type Config } from '../../../src/config/environment.ts';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** The configuration of the test's swarm. */
export function testConfig(redis: TestRedis, env: Record<string, string> = {}): Config {
  return loadConfig(swarmEnvironment(redis, { FLEET_LOG_LEVEL: 'silent', ...env }));
}
