import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { archiveQueue } from '../../queues/archive.ts';
import { missionsQueue } from '../../queues/missions.ts';
import { tasksQueue } from '../../queues/tasks.ts';
import { readBatch } from '../tasks/batch/progress.ts';
import type { Config } from '../config/environment.ts';
import type { Fleet } from './connect-fleet.ts';
import { createFleetMissions } from './missions.ts';
import { followFindings } from '../findings/follow.ts';
import { createFindingStore } from '../findings/store.ts';
import { connectQueuesLazily } from '../jobs/connect-queue.ts';
import { createJobEnds } from '../jobs/state/job-ends.ts';
import { createFleetAsk } from './ask.ts';
import { createFleetTasks } from './tasks.ts';
import { readLedger, toCostReport } from '../ledger/report/report.ts';
import { findPrices } from '../pricing/catalog.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb, type Db } from '../redis/db.ts';
import { withRedisErrors } from '../redis/connect.ts';
import { createSessionReader } from '../swarm/session.ts';
import { readStatus } from '../status/read/snapshot.ts';

/** How long closing waits for Redis to say goodbye. */
const GOODBYE_MS = 1_000;

/** A fleet with what it is made of, for code of the fleet itself that goes further: the command line, benches. */
export interface OpenFleet extends Fleet {
  inner: {
    config: Config;
    db: Db;
    /** Each is opened when its member is first read. */
    queues: Record<QueueName, Queue>;
    currentSession: () => Promise<string>;
  };
}

/** Like `connectFleet`, with a configuration that is there already. @throws RedisUnusableError */
export async function openFleet(config: Config): Promise<OpenFleet> {
  const url = config.REDIS_URL;
  const redis = await connectRedis(url, { role: 'producer', name: 'fleet-producer' });
  const db = createDb(redis, config.FLEET_SWARM ?? null);
  const { queues, close: closeQueues } = connectQueuesLazily(db);
  const findings = createFindingStore(db);
  const currentSession = createSessionReader(db);
  const taskEnds = createJobEnds({ db, queue: tasksQueue.name, url });
  const queryEnds = createJobEnds({ db, queue: archiveQueue.name, url });
  const missionEnds = createJobEnds({ db, queue: missionsQueue.name, url });
  const closing = new AbortController();
  let closed: Promise<void> | null = null;

  const plainly = <T>(work: () => Promise<T>): Promise<T> => withRedisErrors(url, work);

  async function close(): Promise<void> {
    closing.abort();
    await Promise.all([taskEnds.close(), queryEnds.close(), missionEnds.close()]);
    const goodbye = closeQueues().then(() => redis.quit());
    const waited = new AbortController();
    // Nothing is lost by hanging up: a Redis that is away, or hangs, must not hold the script.
    await Promise.race([
      goodbye.catch(() => undefined),
      sleep(GOODBYE_MS, undefined, { signal: waited.signal }).catch(() => undefined),
    ]);
    waited.abort();
    redis.disconnect();
  }

  return {
    tasks: createFleetTasks({
      db,
      queues,
      queueName: tasksQueue.name,
      ends: taskEnds,
      currentSession,
      configured: Object.keys(config.FLEET_WORKSPACES),
      redisUrl: url,
    }),
    ask: createFleetAsk({
      db,
      queues,
      queueName: archiveQueue.name,
      ends: queryEnds,
      currentSession,
      redisUrl: url,
    }),
    missions: createFleetMissions({
      db,
      queues,
      queueName: missionsQueue.name,
      ends: missionEnds,
      currentSession,
      configured: Object.keys(config.FLEET_WORKSPACES),
      redisUrl: url,
    }),
    findings: {
      get: (id) => plainly(() => findings.get(id)),
      list: (query) => plainly(() => findings.list(query)),
      search: (text, options) => plainly(() => findings.search(text, options)),
      count: () => plainly(() => findings.count()),
      each: (query) => findings.each(query),
      follow: ({ signal, ...only } = {}) =>
        followFindings(
          { db, url },
          only,
          signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]),
        ),
    },
    status: () =>
      plainly(() =>
        readStatus(db, {
          shards: config.shards,
          sonnetModel: config.FLEET_SONNET_MODEL,
        }),
      ),
    batch: (name) => plainly(() => readBatch(db, name)),
    costs: ({ by = 'session', only } = {}) =>
      plainly(async () => {
        const sonnet = findPrices(config.FLEET_SONNET_MODEL, new Date());
        return toCostReport(await readLedger(db), { by, sonnet, ...(only === undefined ? {} : { only }) });
      }),
    close: () => (closed ??= close()),
    inner: { config, db, queues, currentSession },
  };
}
