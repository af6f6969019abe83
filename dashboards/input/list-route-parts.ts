import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import type { Config } from '../../src/config/environment.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';

/** What the routes of a list and its changes need. */
export interface ListRouteParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  log: Logger;
  /** Reads what may take long. Null: it took too long, and `signal` has ended it. */
  searchInTime: <T>(read: (signal: AbortSignal) => Promise<T>) => Promise<T | null>;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}
