import { hasArchive } from '../config/model-rows/archive-route.ts';
import { hostname } from 'node:os';
import { endCooldownsOfOldKey } from '../jobs/outcomes/changed-key.ts';
import { tasksQueue, type TaskData } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { BudgetReachedError, CancelledError, ForOutsideError } from '../errors.ts';
import { createFindingStore } from '../findings/store.ts';
import { checkMemory } from '../halt/memory.ts';
import { claimOldTask } from '../bridge/claim.ts';
import { startClaimRenewal } from '../bridge/renew.ts';
import { withOtherSwarms } from '../other-swarms/across.ts';
import { openOtherSwarms } from '../other-swarms/open-other-swarms.ts';
import { announceEnds } from '../tasks/batch/announce-ends.ts';
import { startUpkeep } from '../swarm/upkeep.ts';
import { BEGUN_FIRST_EVERY_MS, putBegunFirst } from '../jobs/wake/begun-first.ts';
import { startForgetting } from '../jobs/forget/forget.ts';
import { toTaskFor, withdrawOffer } from '../jobs/offer.ts';
import { endAssist } from '../jobs/assist/end-assist.ts';
import { returnLost } from '../jobs/leased/give-back.ts';
import { openWorker, type OpenWorker, type WorkerRole } from '../jobs/worker/open-worker.ts';
import type { WorkerBase } from '../jobs/worker/worker-base.ts';
import { WAKE_HELPED_EVERY_MS, wakeAllHelped } from '../jobs/wake/helped.ts';
import { formatUsd } from '../pricing/money.ts';
import { isAnyDelayed, putDelayedAside } from '../jobs/other-type.ts';
import { recountContext } from '../findings/external/recount.ts';
import { payOwed } from '../ledger/pay-owed.ts';
import { sweepReservations, toLostAfterMs } from '../ledger/sweep.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { Model } from '../models/model.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { pacedRowsOf } from '../pacing/paced-rows.ts';
import { createPacer } from '../pacing/pacer.ts';
import { createTreeSweep } from '../patches/sweep/sweep-trees.ts';
import { toWorktreesFolder } from '../patches/task-tree/places.ts';
import type { Db } from '../redis/db.ts';
import { createRunRecords, type CreateRecord } from '../run-record/run-record.ts';
import { pacificDay } from '../librarian/gate/pacific-day.ts';
import { createShardOpening } from '../librarian/opening/shard-opening.ts';
import { createArchiveAsker } from '../librarian/queries/archive-asker.ts';
import { createShardPacer } from '../librarian/task-calls/shard-pacer.ts';
import { watchRules } from '../rules/watch-rules.ts';
import { isHelpful } from './assist/assist-task.ts';
import { createPeerAsker } from './assist/peer-asker.ts';
import { createTaskHandler } from './handler.ts';
import type { CompletedTask } from './loop/types.ts';
import { isGuardedName } from './tools/files/secret-names.ts';

const SWEEP_EVERY_MS = 60_000;
/** A task whose outside worker gave no sign is offered again so soon after its lease, and a little. */
const RETURN_LOST_EVERY_MS = 3_000;
const CHECK_MEMORY_EVERY_MS = 3_000;
/** Trees of applied and discarded patches are gone within a minute. */
const LOOK_AT_DELAYED_EVERY_MS = 2_000;
const SWEEP_TREES_EVERY_MS = 20_000;
/** A worker watches for external findings, and runs the rules, only if no other kind of process has done so for this long. */
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
  const archive = !hasArchive(config)
    ? undefined
    : createArchiveAsker({ db, queue: queues.archive, url: config.REDIS_URL });
  const others = openOtherSwarms({ config, db, log });
  const paced = createPacer({
    db,
    limitKeyOf: (id) => model.limitKeyOf?.(id),
    rowOf: pacedRowsOf(catalogOf(config)),
    who: workerId,
    log,
  });
  const pacer = createShardPacer({ config, db, workerId, others: paced, log, notifier });
  const handle = createTaskHandler({
    config,
    db,
    model,
    pacer,
    ledger: createTurnLedger({ db, workerId }),
    findings: withOtherSwarms(createFindingStore(db), others),
    workerId,
    currentSession,
    askPeers: createPeerAsker({ db, queue: queues.tasks, workerId }),
    ...(archive === undefined ? {} : { archive }),
  });
  return {
    async handler(task, { job, token, signal, isDraining, place, record }) {
      onStart?.();
      if (toTaskFor(task) !== 'fleet') await requireForFleet(db, job.id ?? '', task);
      if (task.bridge !== undefined) {
        const elsewhere = await claimOldTask(db, task.bridge, { jobId: job.id ?? '', token, workerId });
        if (elsewhere !== null) return { ...elsewhere, costNanoUsd: 0 };
      }
      const note = (line: string): Promise<unknown> => job.log(line);
      const { attemptsMade: attempt, timestamp: addedAt } = job;
      const run = { token, signal, isDraining, jobId: job.id ?? '', attempt, addedAt, note, place, record };
      const { assist } = task;
      if (assist === undefined) return toResult(await handle(task, run));
      const done = await handle(task, run).catch((error: unknown) => {
        throw toAssistError(error, assist.asker);
      });
      const helps = isHelpful(done.finding.result);
      await endAssist({ db, queue: queues.tasks }, assist, { helps, findingId: done.findingId });
      return toResult(done);
    },
    defaultModel: config.FLEET_HAIKU_MODEL,
    ...toShardOpenings(config, db),
    async start({ worker }) {
      await endCooldownsOfOldKey(db, { model, models: [config.FLEET_HAIKU_MODEL], log });
      if (config.FLEET_NOTIFY !== undefined) announceEnds(worker, { db, notifier, workerId, log });
      const olderThanMs = lostAfterMs ?? toLostAfterMs(config.FLEET_CALL_TIMEOUT_MS);
      return [
        ...startUpkeepOfAll({
          ...base,
          log,
          olderThanMs,
          createRecord: createRunRecords(db, config.FLEET_RUN_DAYS),
        }),
        ...startForgetting({ db, queues, log }),
        startTreeSweep({ db, config, log }),
        startClaimRenewal({ db, log }),
        watchRules({ ...base, config, log, patienceMs: WATCH_AFTER_MS }),
      ];
    },
    onHalt: (reason) => log.warn({ reason }, 'halted: running calls end and are stored'),
    getReady: () => ({ budget: formatUsd(base.budgetNanoUsd, 4) }),
    async close() {
      await pacer.close();
      await archive?.close();
      await others.close();
    },
  };
}

/** Tasks may wait for a shard, and no librarian may run. Librarians look at the same: one process of both does. */
function toShardOpenings({ shards }: Config, db: Db): Pick<Role, 'openings'> {
  return shards.length === 0 ? {} : { openings: { shards: createShardOpening({ db, shards, dayAt: pacificDay }) } };
}

function toResult({ findingId, costNanoUsd }: CompletedTask): { findingId: string; costNanoUsd: number } {
  return { findingId, costNanoUsd };
}

/** An assist task waits for no budget, and ends with its question: its asker goes on without it. */
function toAssistError(error: unknown, asker: string): unknown {
  const isUnpaid = error instanceof BudgetReachedError && error.scope !== 'day';
  if (isUnpaid)
    return new CancelledError(`${error.message}: task ${asker} goes on without this help`, { cause: error });
  if (!(error instanceof CancelledError)) return error;
  return new CancelledError(`${error.message}: by a person, or task ${asker} needs no more help`, { cause: error });
}

/** @throws ForOutsideError for a task that only outside workers may do; one that was cancelled meanwhile may end here */
async function requireForFleet(db: Db, jobId: string, task: TaskData): Promise<void> {
  const wanted = toTaskFor(task);
  if (wanted === 'any') await withdrawOffer(db, jobId);
  if (wanted !== 'outside' || (await db.redis.zscore(db.keys.cancelled, jobId)) !== null) return;
  throw new ForOutsideError("no worker of the fleet may do it (for: 'outside')");
}

/** Starts what some worker does for the whole fleet. @returns what stops it */
function startUpkeepOfAll({
  db,
  halt,
  workerId,
  log,
  olderThanMs,
  queues,
  createRecord,
}: Pick<WorkerBase, 'db' | 'halt' | 'workerId' | 'queues'> & {
  log: Logger;
  olderThanMs: number;
  createRecord: CreateRecord;
}): (() => Promise<void>)[] {
  return [
    startUpkeep({ db, name: 'memory', everyMs: CHECK_MEMORY_EVERY_MS, what: "watching Redis' memory", log }, () =>
      checkMemory(db.redis, halt, workerId),
    ),
    startUpkeep(
      { db, name: 'sweep', everyMs: Math.min(SWEEP_EVERY_MS, olderThanMs), what: 'the sweep', log },
      async () => {
        await sweepReservations(db, { olderThanMs });
        await payOwed(db);
        await recountContext(db);
      },
    ),
    startUpkeep(
      {
        db,
        name: 'begun-first',
        everyMs: BEGUN_FIRST_EVERY_MS,
        what: 'putting begun tasks first',
        log,
        isNeeded: async () => (await db.redis.exists(db.keys.begunDelayed)) === 1,
      },
      () => putBegunFirst(db),
    ),
    startUpkeep(
      {
        db,
        name: 'helped',
        everyMs: WAKE_HELPED_EVERY_MS,
        what: 'waking tasks that peers helped',
        log,
        isNeeded: async () => (await db.redis.exists(db.keys.helped)) === 1,
      },
      async () => void (await wakeAllHelped({ db, queue: queues.tasks })),
    ),
    startUpkeep(
      {
        db,
        name: 'delayed-aside',
        everyMs: LOOK_AT_DELAYED_EVERY_MS,
        what: 'looking at delayed jobs',
        log,
        isNeeded: () => isAnyDelayed(db),
      },
      () => putDelayedAside(db),
    ),
    startUpkeep(
      {
        db,
        name: 'outside-leases',
        everyMs: RETURN_LOST_EVERY_MS,
        what: 'looking for lost leases of outside workers',
        log,
        isNeeded: async () => (await db.redis.exists(db.keys.outsideLeases)) === 1,
      },
      () => returnLost(db, () => queues.tasks, createRecord),
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
