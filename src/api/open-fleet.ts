import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { findClientNameProblem, type Actor } from '../../queues/owner.ts';
import type { QueueName } from '../../queues/registry.ts';
import { UsageError } from '../errors.ts';
import { readBatch } from '../tasks/batch/progress.ts';
import type { Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import type { Fleet } from './types.ts';
import { createFleetLists } from './lists.ts';
import { createFleetMissions } from './missions.ts';
import { connectQueuesLazily } from '../jobs/connect-queue.ts';
import { createJobEnds } from '../jobs/state/job-ends.ts';
import { createFleetAsk } from './ask.ts';
import { createFleetControl } from './control.ts';
import { createFleetFindings } from './findings.ts';
import { createFleetJobs } from './jobs.ts';
import { createRunRecords, type CreateRecord } from '../run-record/run-record.ts';
import { createFleetOutside } from './outside.ts';
import { createFleetPatches } from './patches.ts';
import { createFleetRules } from './rules.ts';
import { assertOptions, assertText } from './given/options.ts';
import { createFleetTasks } from './tasks.ts';
import { readWholeLedger, toCostReport } from '../ledger/report/report.ts';
import { REPORT_DIMENSIONS } from '../ledger/report/types.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { connectRedis } from '../redis/connect.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { createDb, type Db } from '../redis/db.ts';
import { actingAs } from '../audit/note-change.ts';
import { createKeys } from '../redis/keys.ts';
import { returnLostIfWritable } from '../jobs/leased/give-back.ts';
import { openOtherSwarms } from '../other-swarms/open-other-swarms.ts';
import type { OtherSwarms } from '../other-swarms/types.ts';
import { createEvictionCheck } from '../redis/preflight.ts';
import { currentUser } from '../swarm/current-user.ts';
import { createNotifier } from '../swarm/notify.ts';
import { createKindCheck } from '../swarm/same-kind.ts';
import { createSessionReader } from '../swarm/session.ts';
import { readShard } from '../status/read/shard.ts';
import { readStatus } from '../status/read/snapshot.ts';
import { toConfigured } from '../tasks/known-names.ts';

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
    /** Records what this process does with jobs. */
    createRecord: CreateRecord;
    /** The swarms whose findings this one reads. */
    others: OtherSwarms;
    /** See `AddCheck`. */
    assertMayAdd: () => Promise<void>;
  };
}

export interface OpenOptions {
  writesWhenFull?: boolean;
  client?: string | undefined;
  actor?: Partial<Actor> & Pick<Actor, 'from'>;
}

/**
 * Connects as `connectFleet` does, with a configuration that the caller has read.
 * @param options.writesWhenFull whether its small writes succeed on a full Redis, too: for commands that stop work. Default false
 * @param options.client who pays for all that is added, for `fleet costs --by client`. Default: no client
 * @param options.actor what the audit says of changes: from where they come, and who makes them. Default: a script of this user
 * @throws RedisUnusableError; UsageError for a client's name that breaks a rule
 */
export async function openFleet(config: Config, options: OpenOptions = {}): Promise<OpenFleet> {
  const { client } = options;
  const problem = client === undefined ? null : findClientNameProblem(client);
  if (problem !== null) throw new UsageError(`client: ${problem}`);
  const redisUrl = config.REDIS_URL;
  const redis = await connectRedis(redisUrl, {
    role: 'producer',
    name: 'fleet-producer',
    secrets: configSecrets(config),
    ...(options.writesWhenFull ? { scratch: createKeys(config.FLEET_SWARM ?? null).preflight } : {}),
  });
  const actor: Actor = { who: currentUser(), from: 'script', client: client ?? null, ...options.actor };
  const db = actingAs(createDb(redis, config.FLEET_SWARM ?? null), actor);
  const { queues, close: closeQueues } = connectQueuesLazily(db);
  const currentSession = createSessionReader(db);
  const configured = toConfigured(config);
  const checkKind = createKindCheck(db, config);
  const checkEviction = createEvictionCheck(redis);
  const assertMayAdd = async (): Promise<void> => void (await Promise.all([checkKind(), checkEviction()]));
  const workspaces = config.FLEET_WORKSPACES;
  const createRecord = createRunRecords(db, config.FLEET_RUN_DAYS);
  const shared = { db, queues, currentSession, configured, workspaces, redisUrl, assertMayAdd, client };
  const openEnds = (queue: QueueName) => ({ queueName: queue, ends: createJobEnds({ db, queue, url: redisUrl }) });
  const [ofTasks, ofArchive, ofMissions] = [openEnds('tasks'), openEnds('archive'), openEnds('missions')];
  const verbs = { db, queues, config, assertMayAdd };
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const others = openOtherSwarms({ config, db });
  const closing = new AbortController();
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    closing.abort();
    await notifier.flush();
    await others.close();
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
    ask: createFleetAsk({ ...shared, ...ofArchive, others }),
    missions: createFleetMissions({ ...shared, ...ofMissions, config }),
    ...createFleetRules({
      redisUrl,
      assertMayAdd,
      openRules: async () =>
        (await import('../rules/create-rules.ts')).createRules({ ...shared, openSwarm: (name) => others.open(name) }),
    }),
    findings: createFleetFindings({ db, redisUrl, others }, closing.signal),
    patches: createFleetPatches(db, config),
    ...createFleetJobs(verbs, closing.signal),
    ...createFleetLists(verbs, closing.signal),
    ...createFleetControl(verbs),
    outside: createFleetOutside({ ...shared, notifier, createRecord }),
    ...createReports(db, queues, config),
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close()),
    inner: { config, db, queues, currentSession, others, createRecord, assertMayAdd: shared.assertMayAdd },
  };
}

function createReports(
  db: Db,
  queues: Record<QueueName, Queue>,
  config: Config,
): Pick<Fleet, 'status' | 'shard' | 'batch' | 'costs'> {
  const {
    REDIS_URL: redisUrl,
    FLEET_COORDINATOR_MODEL: coordinatorModel,
    FLEET_HAIKU_MODEL: workerModel,
    shards,
  } = config;
  const catalog = catalogOf(config);
  return {
    status: () =>
      withRedisErrors(redisUrl, async () => {
        await returnLostIfWritable(db, () => queues.tasks);
        return readStatus(db, { shards, coordinatorModel, workerModel, catalog });
      }),
    shard: async (name) => {
      assertText('shard: name', name);
      return withRedisErrors(redisUrl, () => readShard(db, name));
    },
    batch: async (name) => {
      assertText('batch: name', name);
      return withRedisErrors(redisUrl, () => readBatch(db, name));
    },
    costs: async (options = {}) => {
      assertOptions('costs', options, ['by', 'only']);
      const { by = 'session', only = {} } = options;
      assertDimensions([by, ...Object.keys(only)]);
      return withRedisErrors(redisUrl, async () => {
        const sonnet = catalog.findPrices(coordinatorModel, db.clock.date());
        return toCostReport(await readWholeLedger(db), { by, sonnet, catalog, only });
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
