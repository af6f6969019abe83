import type { Queue } from 'bullmq';
import type { QueueName } from '../queues/registry.ts';
import type { Config } from '../src/config/environment.ts';
import type { Logger } from '../src/process/logger.ts';
import type { Db } from '../src/redis/db.ts';

/** What the dashboard is built from. */
export interface DashboardParts {
  config: Config;
  /** A connection whose commands fail at once while Redis is away (`role: 'producer'`): a page reports that at once. */
  db: Db;
  queues: Record<QueueName, Queue>;
  log: Logger;
}
