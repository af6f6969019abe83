import { hostname } from 'node:os';
import { tasksQueue } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { createFindingStore } from '../findings/store.ts';
import { checkMemory } from '../halt/memory.ts';
import { announceEnds } from '../tasks/batch/announce-ends.ts';
import { startUpkeep } from '../swarm/upkeep.ts';
import { BEGUN_FIRST_EVERY_MS, putBegunFirst } from '../jobs/outcomes/begun-first.ts';
import { openWorker, type OpenWorker, type WorkerRole } from '../jobs/worker/open-worker.ts';
import type { WorkerBase } from '../jobs/worker/worker-base.ts';
import { formatUsd } from '../pricing/money.ts';
import { sweepReservations, toLostAfterMs } from '../ledger/sweep.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { Model } from '../models/model.ts';
import { createPacer } from '../pacing/pacer.ts';
import { createTreeSweep } from '../patches/sweep/sweep-trees.ts';
import { toWorktreesFolder } from '../patches/task-tree/places.ts';
import type { Db } from '../redis/db.ts';
import { createArchiveAsker } from '../librarian/queries/archive-asker.ts';
import { createTaskHandler } from './handler.ts';
import { isGuardedName } from './tools/files/secret-names.ts';

const SWEEP_EVERY_MS = 60_000;
const CHECK_MEMORY_EVERY_MS = 3_000;
/** Trees of applied and discarded patches are gone within a minute. */
const SWEEP_TREES_EVERY_MS = 20_000;
/** A worker watches for external findings only if no coordinator and no librarian has done so for this long. */
const WATCH_AFTER_MS = 10_000;

interface HaikuParts {
  config: Config;
  model: Model;
  log: Logger;
  onStuck?: () => void;
  /** A call counts as lost after this long, ms. Default: twice the longest call, at least ten minutes. */
  lostAfterMs?: number;
  /** Called when the run of a job begins. */
  onStart?: () => void;
}

/** Runs a Haiku worker, which works tasks until it is closed. Tests run several in one process. */
export async function runHaiku(parts: HaikuParts): Promise<OpenWorker> {
  const { config, log, onStuck } = parts;
  const { worker } = await openWorker({
    config,
    log,
    kind: 'haiku',
    queue: tasksQueue,
    slots: config.FLEET_HAIKU_CONCURRENCY,
    watchAfterMs: WATCH_AFTER_MS,
    onStuck,
    createRole: (base) => createRole(parts, base),
  });
  return worker;
}

type Role = WorkerRole<typeof tasksQueue.data, typeof tasksQueue.result>;

function createRole({ config, model, log, lostAfterMs, onStart }: HaikuParts, base: WorkerBase): Role {
  const { db, queues, notifier, workerId, currentSession } = base;
  // Without a shard no librarian answers, so tasks cannot ask the archive.
  const archive =
    config.shards.length === 0 ? undefined : createArchiveAsker({ db, queue: queues.archive, url: config.REDIS_URL });
  const pacer = createPacer({ db, limitKey: model.limitKey, log });
  const handle = createTaskHandler({
    config,
    db,
    model,
    pacer,
    ledger: createTurnLedger({ db, workerId, now: () => new Date() }),
    findings: createFindingStore(db),
    workerId,
    currentSession,
    ...(archive === undefined ? {} : { archive }),
  });
  return {
    async handler(task, { job, token, signal, isDraining }) {
      onStart?.();
      const note = (line: string): Promise<unknown> => job.log(line);
      const run = { token, signal, isDraining, jobId: job.id ?? '', attempt: job.attemptsMade, note };
      const { findingId, costNanoUsd } = await handle(task, run);
      return { findingId, costNanoUsd };
    },
    defaultModel: config.FLEET_HAIKU_MODEL,
    start({ worker }) {
      if (config.FLEET_NOTIFY !== undefined) announceEnds(worker, { db, notifier, workerId, log });
      const olderThanMs = lostAfterMs ?? toLostAfterMs(config.FLEET_CALL_TIMEOUT_MS);
      return [...startUpkeepOfAll({ ...base, log, olderThanMs }), startTreeSweep({ db, config, log })];
    },
    onHalt: (reason) => log.warn({ reason }, 'halted: running calls end and are stored'),
    getReady: () => ({ budget: formatUsd(base.budgetNanoUsd, 4) }),
    async close() {
      await pacer?.close();
      await archive?.close();
    },
  };
}

/** Starts what some worker does for the whole fleet. @returns what stops it */
function startUpkeepOfAll({
  db,
  halt,
  workerId,
  log,
  olderThanMs,
}: Pick<WorkerBase, 'db' | 'halt' | 'workerId'> & { log: Logger; olderThanMs: number }): (() => Promise<void>)[] {
  return [
    startUpkeep({ db, name: 'memory', everyMs: CHECK_MEMORY_EVERY_MS, what: "watching Redis' memory", log }, () =>
      checkMemory(db.redis, halt, workerId),
    ),
    startUpkeep({ db, name: 'sweep', everyMs: Math.min(SWEEP_EVERY_MS, olderThanMs), what: 'the sweep', log }, () =>
      sweepReservations(db, { olderThanMs, now: Date.now() }),
    ),
    startUpkeep(
      { db, name: 'begun-first', everyMs: BEGUN_FIRST_EVERY_MS, what: 'putting begun tasks first', log },
      () => putBegunFirst(db, Date.now()),
    ),
  ];
}

/** Starts what one worker does for all of its host: the trees of tasks lie on its disk. @returns what stops it */
function startTreeSweep({ db, config, log }: { db: Db; config: Config; log: Logger }): () => Promise<void> {
  const host = hostname();
  const sweep = createTreeSweep({
    db,
    worktrees: toWorktreesFolder(config.dataFolder, config.FLEET_SWARM ?? null),
    host,
    keep: config.FLEET_WORKTREES_KEEP,
    isGuarded: isGuardedName,
    now: Date.now,
  });
  const ending = new AbortController();
  const upkeep = { db, name: `trees-${host}`, everyMs: SWEEP_TREES_EVERY_MS, what: 'the sweep of task trees', log };
  const stop = startUpkeep(upkeep, () => sweep(ending.signal).catch(ignoreEnd(ending.signal)));
  return async () => {
    ending.abort();
    await stop();
  };
}

function ignoreEnd(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
