import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '../../../queues/registry.ts';
import { describeNameProblems } from '../../models/create/known-models.ts';
import { isOffline, type Config } from '../../config/environment.ts';
import { configSecrets } from '../../config/redact.ts';
import { createHaltSwitch, type HaltSwitch } from '../../halt/halt.ts';
import { publishSharing } from '../../other-swarms/sharing.ts';
import { seedBudget } from '../../ledger/budget.ts';
import type { Logger } from '../../process/logger.ts';
import { connectRedis } from '../../redis/connect.ts';
import { createDb, type Db } from '../../redis/db.ts';
import { withRedisErrors } from '../../redis/errors/redis-errors.ts';
import { markSwarm, runPreflight } from '../../redis/preflight.ts';
import { createNotifier, type Notifier } from '../../swarm/notify.ts';
import { createSessionReader } from '../../swarm/session.ts';
import type { ProcessKind } from '../../swarm/types.ts';
import { takeWorkerName, type WorkerName } from '../../swarm/worker-name.ts';
import { connectQueues } from '../connect-queue.ts';

/** What every worker process is built on. */
export interface WorkerBase {
  db: Db;
  /** A connection of its own: one that subscribes can do nothing else. */
  subscriber: Redis;
  queues: Record<QueueName, Queue>;
  notifier: Notifier;
  halt: HaltSwitch;
  name: WorkerName;
  workerId: string;
  currentSession: () => Promise<string>;
  /** Of the day, nano-dollars. */
  budgetNanoUsd: number;
  /** Closes the connections: nothing may use them afterwards. */
  closeConnections(): Promise<void>;
}

/**
 * Connects a worker process and takes its name: waits for Redis, refuses one that cannot be used, marks a new swarm and
 * seeds its budget.
 * @throws RedisUnusableError; ConfigError if the swarm is of the other kind, or all names of this host are taken
 */
export async function openWorkerBase(config: Config, parts: { kind: ProcessKind; log: Logger }): Promise<WorkerBase> {
  return withRedisErrors(config.REDIS_URL, () => connectBase(config, parts));
}

async function connectBase(config: Config, { kind, log }: { kind: ProcessKind; log: Logger }): Promise<WorkerBase> {
  const redis = await connectRedis(config.REDIS_URL, {
    role: 'worker',
    log,
    name: `fleet-${kind}`,
    secrets: configSecrets(config),
  });
  const subscriber = await connectRedis(config.REDIS_URL, { role: 'worker', log, name: `fleet-${kind}-control` });
  const db = createDb(redis, config.FLEET_SWARM ?? null);
  await db.clock.sync();
  const { warnings } = await runPreflight(db);
  for (const warning of [...describeNameProblems(config), ...warnings]) log.warn(warning);
  await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
  await publishSharing(db, config.FLEET_SHARE_WITH);
  const budgetNanoUsd = await seedBudget(db, config.FLEET_BUDGET_USD);
  const queues = connectQueues(db);
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db, log });
  const name = await takeWorkerName(db, kind === 'haiku' ? config.FLEET_WORKER_ID : undefined, kind);
  return {
    db,
    subscriber,
    queues,
    notifier,
    halt: createHaltSwitch(db, Object.values(queues), { notifier }),
    name,
    workerId: name.id,
    currentSession: createSessionReader(db),
    budgetNanoUsd,
    async closeConnections() {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      await subscriber.quit();
      await redis.quit();
    },
  };
}
