import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { UsageError } from '../errors.ts';
import { readBatch } from '../tasks/batch/progress.ts';
import type { Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import type { Fleet } from './types.ts';
import { createFleetMissions } from './missions.ts';
import { followFindings } from '../findings/follow.ts';
import { createFindingStore } from '../findings/store.ts';
import type { FleetFindings } from '../findings/types.ts';
import { connectQueuesLazily } from '../jobs/connect-queue.ts';
import { createJobEnds } from '../jobs/state/job-ends.ts';
import { createFleetAsk } from './ask.ts';
import { createFleetPatches } from './patches.ts';
import { createFleetTasks } from './tasks.ts';
import { readLedger, toCostReport } from '../ledger/report/report.ts';
import { REPORT_DIMENSIONS } from '../ledger/report/types.ts';
import { findPrices } from '../pricing/catalog.ts';
import { connectRedis, withRedisErrors } from '../redis/connect.ts';
import { createDb, type Db } from '../redis/db.ts';
import { createSessionReader } from '../swarm/session.ts';
import { readStatus } from '../status/read/snapshot.ts';

/** How long closing waits for Redis to close the connections. */
const CLOSE_MS = 1_000;

/** A fleet with its parts, for the fleet's own code: the command line, benches. */
export interface OpenFleet extends Fleet {
  inner: {
    config: Config;
    db: Db;
    /** A queue is opened when its property is first read. */
    queues: Record<QueueName, Queue>;
    currentSession: () => Promise<string>;
  };
}

/** Connects as `connectFleet` does, with a configuration that the caller has read. @throws RedisUnusableError */
export async function openFleet(config: Config): Promise<OpenFleet> {
  const redisUrl = config.REDIS_URL;
  const redis = await connectRedis(redisUrl, {
    role: 'producer',
    name: 'fleet-producer',
    secrets: configSecrets(config),
  });
  const db = createDb(redis, config.FLEET_SWARM ?? null);
  const { queues, close: closeQueues } = connectQueuesLazily(db);
  const currentSession = createSessionReader(db);
  const configured = Object.keys(config.FLEET_WORKSPACES);
  const shared = { db, queues, currentSession, configured, redisUrl };
  const openEnds = (queue: QueueName) => ({ queueName: queue, ends: createJobEnds({ db, queue, url: redisUrl }) });
  const [ofTasks, ofArchive, ofMissions] = [openEnds('tasks'), openEnds('archive'), openEnds('missions')];
  const closing = new AbortController();
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    closing.abort();
    await Promise.all([ofTasks, ofArchive, ofMissions].map(({ ends }) => ends.close()));
    const timer = new AbortController();
    // A disconnect loses nothing: a Redis that is away, or hangs, must not keep the script from ending.
    await Promise.race([
      closeQueues()
        .then(() => redis.quit())
        .catch(() => undefined),
      sleep(CLOSE_MS, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    redis.disconnect();
  }

  return {
    tasks: createFleetTasks({ ...shared, ...ofTasks }),
    ask: createFleetAsk({ ...shared, ...ofArchive }),
    missions: createFleetMissions({ ...shared, ...ofMissions }),
    findings: createFleetFindings(db, redisUrl, closing.signal),
    patches: createFleetPatches(db, config),
    ...createReports(db, config),
    close: () => (closed ??= close()),
    inner: { config, db, queues, currentSession },
  };
}

/** @param closing ends the reading of new findings */
function createFleetFindings(db: Db, redisUrl: string, closing: AbortSignal): FleetFindings {
  const store = createFindingStore(db);
  return {
    get: (id) => withRedisErrors(redisUrl, () => store.get(id)),
    list: (query) => withRedisErrors(redisUrl, () => store.list(query)),
    find: (query, options) => withRedisErrors(redisUrl, () => store.find(query, options)),
    search: (text, options) => withRedisErrors(redisUrl, () => store.search(text, options)),
    count: () => withRedisErrors(redisUrl, () => store.count()),
    each: (query) => store.each(query),
    follow: ({ signal, ...only } = {}) =>
      followFindings({ db, url: redisUrl }, only, signal === undefined ? closing : AbortSignal.any([closing, signal])),
  };
}

function createReports(db: Db, config: Config): Pick<Fleet, 'status' | 'batch' | 'costs'> {
  const { REDIS_URL: redisUrl, FLEET_SONNET_MODEL: sonnetModel, shards } = config;
  return {
    status: () => withRedisErrors(redisUrl, () => readStatus(db, { shards, sonnetModel })),
    batch: (name) => withRedisErrors(redisUrl, () => readBatch(db, name)),
    costs: async ({ by = 'session', only = {} } = {}) => {
      assertDimensions([by, ...Object.keys(only)]);
      return withRedisErrors(redisUrl, async () => {
        const sonnet = findPrices(sonnetModel, new Date());
        return toCostReport(await readLedger(db), { by, sonnet, only });
      });
    },
  };
}

/** @throws UsageError for a dimension that does not exist, which a script without types may give */
function assertDimensions(names: string[]): void {
  const wrong = names.find((name) => !REPORT_DIMENSIONS.some((dimension) => dimension === name));
  if (wrong === undefined) return;
  throw new UsageError(`costs: expected ${REPORT_DIMENSIONS.join(', ')}, got ${JSON.stringify(wrong)}`);
}
