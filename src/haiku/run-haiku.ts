import { tasksQueue } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { createFindingStore } from '../findings/store.ts';
import { watchExternalFindings } from '../findings/external/watch.ts';
import { checkMemory } from '../halt/memory.ts';
import { announceEnds } from '../tasks/batch/announce-ends.ts';
import { listenToControl } from '../swarm/control.ts';
import { startHeartbeat, type Heartbeat } from '../swarm/heartbeat.ts';
import { startUpkeep } from '../swarm/upkeep.ts';
import { openWorkerBase } from '../jobs/open-worker.ts';
import { runWorker } from '../jobs/worker/run-worker.ts';
import { takeWorkerName } from '../swarm/worker-name.ts';
import { formatUsd } from '../pricing/money.ts';
import { sweepReservations, toLostAfterMs } from '../ledger/sweep.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { Model } from '../models/model.ts';
import { createSessionReader } from '../swarm/session.ts';
import { createArchiveAsker } from '../librarian/queries/archive-asker.ts';
import { createTaskHandler } from './handler.ts';

const SWEEP_EVERY_MS = 60_000;
const CHECK_MEMORY_EVERY_MS = 3_000;
/** A worker watches for external findings only if no coordinator and no librarian has done so for this long. */
const WATCH_AFTER_MS = 10_000;

export interface RunningHaiku {
  workerId: string;
  /** Whether Redis is away and no job runs. Then closing has nothing to store and would only wait. */
  nothingToStore(): boolean;
  close(): Promise<void>;
}

/** Starts a Haiku worker, which takes tasks from the queue until it is closed. A test may run several in one process. */
export async function runHaiku(parts: {
  config: Config;
  model: Model;
  log: Logger;
  onStuck?: () => void;
  /** A call counts as lost after this long, ms. Default: twice the longest call, at least ten minutes. */
  lostAfterMs?: number;
  /** Called when the run of a job begins. */
  onStart?: () => void;
}): Promise<RunningHaiku> {
  const { config, model, log } = parts;
  const base = await openWorkerBase(config, { kind: 'haiku', log });
  const { db, subscriber, queues, notifier, halt } = base;
  const { redis, keys } = db;
  const name = await takeWorkerName(db, config.FLEET_WORKER_ID);
  const ledger = createTurnLedger({ db, workerId: name.id, now: () => new Date() });
  // Tasks may ask the archive only if a librarian is configured.
  const archive =
    config.shards.length === 0 ? undefined : createArchiveAsker({ db, queue: queues.archive, url: config.REDIS_URL });
  const handle = createTaskHandler({
    config,
    db,
    model,
    ledger,
    findings: createFindingStore(db),
    workerId: name.id,
    currentSession: createSessionReader(db),
    ...(archive === undefined ? {} : { archive }),
  });
  const stopWatching = watchExternalFindings({
    db,
    url: config.REDIS_URL,
    log,
    patienceMs: WATCH_AFTER_MS,
  });

  let heartbeat: Heartbeat | undefined; // assigned below: it reads the worker's jobs, and these may start first
  const running = runWorker(
    tasksQueue,
    async (task, run) => {
      parts.onStart?.();
      const { findingId, costNanoUsd } = await handle(task, {
        token: run.token,
        signal: run.signal,
        isDraining: run.isDraining,
        jobId: run.job.id ?? '',
        attempt: run.job.attemptsMade,
      });
      return { findingId, costNanoUsd };
    },
    {
      db,
      queue: queues.tasks,
      halt,
      log,
      workerId: name.id,
      concurrency: config.FLEET_HAIKU_CONCURRENCY,
      defaultModel: config.FLEET_HAIKU_MODEL,
      onChange: () => heartbeat?.touch(),
      ...(parts.onStuck === undefined ? {} : { onStuck: parts.onStuck }),
    },
  );
  if (config.FLEET_NOTIFY !== undefined) {
    announceEnds(running.worker, { db, notifier, workerId: name.id, log });
  }
  heartbeat = startHeartbeat({
    db,
    log,
    workerId: name.id,
    slots: config.FLEET_HAIKU_CONCURRENCY,
    workspaces: Object.keys(config.FLEET_WORKSPACES),
    activeJobs: running.activeJobs,
    hold: name.hold,
  });
  await listenToControl(subscriber, keys, (message) => {
    if (message.type === 'cancel') running.cancel(message.jobId);
    if (message.type === 'halt') log.warn({ reason: message.reason }, 'halted: running calls end and are stored');
  });
  const stopWatchingMemory = startUpkeep(
    { db, name: 'memory', everyMs: CHECK_MEMORY_EVERY_MS, what: "watching Redis' memory", log },
    () => checkMemory(redis, halt, name.id),
  );
  const olderThanMs = parts.lostAfterMs ?? toLostAfterMs(config.FLEET_CALL_TIMEOUT_MS);
  const stopSweeping = startUpkeep(
    { db, name: 'sweep', everyMs: Math.min(SWEEP_EVERY_MS, olderThanMs), what: 'the sweep', log },
    () => sweepReservations(db, { olderThanMs, now: Date.now() }),
  );
  await running.worker.waitUntilReady();
  await heartbeat.beat();
  log.info(
    { workerId: name.id, slots: config.FLEET_HAIKU_CONCURRENCY, budget: formatUsd(base.budgetNanoUsd, 4) },
    'ready',
  );

  return {
    workerId: name.id,
    nothingToStore: () => redis.status !== 'ready' && running.activeJobs().length === 0,
    async close() {
      await Promise.all([stopWatchingMemory(), stopSweeping(), stopWatching()]);
      await running.close(); // fetches no more; running turns end and are stored; jobs go back to waiting
      await archive?.close();
      await heartbeat.stop();
      await notifier.flush();
      await name.release();
      await base.close(); // last: nothing may use its connections after this line
    },
  };
}
