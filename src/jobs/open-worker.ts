import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '../../queues/registry.ts';
import { isOffline, type Config } from '../config/environment.ts';
import { createHaltSwitch, type HaltSwitch } from '../halt/halt.ts';
import { seedBudget } from '../ledger/budget.ts';
import type { Logger } from '../process/logger.ts';
import { createNotifier, type Notifier } from '../swarm/notify.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb, type Db } from '../redis/db.ts';
import { markSwarm, runPreflight } from '../redis/preflight.ts';
import { connectQueues } from './connect-queue.ts';

/** What every worker process stands on. */
export interface WorkerBase {
  db: Db;
  /** A connection of its own: one that subscribes can do nothing else. */
  subscriber: Redis;
  queues: Record<QueueName, Queue>;
  notifier: Notifier;
  halt: HaltSwitch;
  /** Of the day, nano-dollars. */
  budgetNanoUsd: number;
  /** Last of all: nothing may use the connections afterwards. */
  close(): Promise<void>;
}

/**
 * Connects a worker process: waits for Redis, refuses one that cannot be used, marks a new swarm and seeds its budget.
 * @throws RedisUnusableError, ConfigError where the swarm is of the other kind
 */
export async function openWorkerBase(
  config: Config,
  { kind, log }: { kind: 'haiku' | 'librarian' | 'coordinator'; log: Logger },
): Promise<WorkerBase> {
  const redis = await connectRedis(config.REDIS_URL, { role: 'worker', log, name: `fleet-${kind}` });
  const subscriber = await connectRedis(config.REDIS_URL, { role: 'worker', log, name: `fleet-${kind}-control` });
  const db = createDb(redis, config.FLEET_SWARM ?? null, { waitsWhileRefused: true });
  const { warnings } = await runPreflight(db);
  for (const warning of warnings) log.warn(warning);
  await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
  const budgetNanoUsd = await seedBudget(db, config.FLEET_BUDGET_USD);
  const queues = connectQueues(db);
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db, log });
  return {
    db,
    subscriber,
    queues,
    notifier,
    halt: createHaltSwitch(db, Object.values(queues), { notifier }),
    budgetNanoUsd,
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      await subscriber.quit();
      await redis.quit();
    },
  };
}
