import { missionsQueue } from '../../queues/missions.ts';
import type { Config } from '../config/environment.ts';
import { watchExternalFindings } from '../findings/external/watch.ts';
import { listenToControl } from '../swarm/control.ts';
import { openWorkerBase } from '../jobs/open-worker.ts';
import { runWorker } from '../jobs/worker/run-worker.ts';
import { keepPresence } from '../swarm/presence.ts';
import { takeWorkerName } from '../swarm/worker-name.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { Model } from '../models/model.ts';
import { createSessionReader } from '../swarm/session.ts';
import { createMissionHandler, readMissionProgress } from './handler.ts';
import { readMissionFields, writeMission } from './mission/record.ts';
import { watchMissions, type WatchParts } from './upkeep/watch.ts';

export interface RunningCoordinator {
  workerId: string;
  /** Whether Redis is away and no mission runs. Closing would then wait for Redis in vain. */
  nothingToStore(): boolean;
  close(): Promise<void>;
}

/** Missions that run at once. A mission that waits for its tasks holds no slot. */
const SLOTS = 8;

/** Starts a coordinator, which carries out missions until it is closed. Several coordinators may run at once. */
export async function runCoordinator(parts: {
  config: Config;
  model: Model;
  log: Logger;
  onStuck?: () => void;
}): Promise<RunningCoordinator> {
  const { config, model, log } = parts;
  const base = await openWorkerBase(config, { kind: 'coordinator', log });
  const { db, subscriber, queues, notifier, halt } = base;
  const { redis, keys } = db;
  const name = await takeWorkerName(db, undefined, 'coordinator');
  const now = (): Date => new Date();
  const ledger = createTurnLedger({ db, workerId: name.id, now, queue: 'missions', apart: 'coordinator' });
  const shared = { db, queues, halt, config, notifier, workerId: name.id, log, now };
  const missions = watchMissions(shared);
  const handle = createMissionHandler({
    ...shared,
    model,
    ledger,
    currentSession: createSessionReader(db),
    onWaiting: missions.noteWaiting,
  });
  const running = runWorker(missionsQueue, handle, {
    db,
    queue: queues.missions,
    halt,
    log,
    workerId: name.id,
    concurrency: SLOTS,
    readProgress: readMissionProgress,
    ...(parts.onStuck === undefined ? {} : { onStuck: parts.onStuck }),
  });
  running.worker.on('failed', (job, error) => {
    recordFailure(shared, job?.id ?? '', error).catch((reason: unknown) =>
      log.warn({ reason }, 'the end was not noted'),
    );
  });
  await listenToControl(subscriber, keys, (message) => {
    if (message.type === 'cancel') running.cancel(message.jobId);
  });
  subscriber.on('message', (channel, jobId: string) => {
    if (channel === keys.channelCompletions) missions.noteEnd(jobId);
  });
  await subscriber.subscribe(keys.channelCompletions);
  const stopWatching = watchExternalFindings({ db, url: config.REDIS_URL, log });
  const leave = await keepPresence({ db, name, log });
  await running.worker.waitUntilReady();
  log.info({ workerId: name.id, slots: SLOTS }, 'ready');

  return {
    workerId: name.id,
    nothingToStore: () => redis.status !== 'ready' && running.activeJobs().length === 0,
    async close() {
      await Promise.all([stopWatching(), missions.stop()]);
      await running.close(); // stop fetching; calls under way end, and their replies are stored
      await notifier.flush();
      await leave();
      await base.close(); // last: nothing may use its connections after this line
    },
  };
}

/** Marks a mission as failed whose handler did not: its job was quarantined, or the handler threw an unexpected error. */
async function recordFailure({ db, now }: Pick<WatchParts, 'db' | 'now'>, id: string, error: Error) {
  const [state = null] = await readMissionFields(db, id, 'state');
  if (state === null || state === 'failed' || state === 'done') return;
  const endedAt = now().toISOString();
  await writeMission(db, id, { state: 'failed', problem: error.message, endedAt }, now());
}
