import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '../queues/registry.ts';
import type { Config } from '../src/config/environment.ts';
import type { Logger } from '../src/process/logger.ts';
import type { Keys } from '../src/redis/keys.ts';

/** What the dashboard is built from. */
export interface DashboardParts {
  config: Config;
  /** A connection whose commands fail at once while Redis is away (`role: 'producer'`): a page reports that at once. */
  redis: Redis;
  keys: Keys;
  queues: Record<QueueName, Queue>;
  log: Logger;
}
