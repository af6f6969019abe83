import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { tasksQueue, type TaskInput } from '../../queues/tasks.ts';
import { isOffline, type Config } from '../config/environment.ts';
import {
  AccountRefusedError,
  BudgetHeldError,
  BudgetReachedError,
  ModelCoolingError,
  ProviderUnavailableError,
  RateLimitedError,
  ShardsUsedUpError,
  TaskFailedError,
  toMessage,
} from '../errors.ts';
import type { Finding } from '../findings/finding.ts';
import { createFindingStore } from '../findings/store.ts';
import { withOtherSwarms } from '../other-swarms/across.ts';
import type { OtherSwarms } from '../other-swarms/types.ts';
import { createHaltSwitch, type HaltSwitch } from '../halt/halt.ts';
import { checkTask } from '../tasks/check.ts';
import { readKnownNames, toConfigured } from '../tasks/known-names.ts';
import { toEscalation } from '../jobs/escalation.ts';
import { coolDown, countUnavailable, GIVE_UP_AFTER_MS, toBackoffMs } from '../jobs/outcomes/backoff.ts';
import { takeWorkerName } from '../swarm/worker-name.ts';
import { seedBudget } from '../ledger/budget.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import { createShardPacer } from '../librarian/task-calls/shard-pacer.ts';
import type { Model } from '../models/model.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { pacedRowsOf } from '../pacing/paced-rows.ts';
import { createPacer } from '../pacing/pacer.ts';
import { createNotifier } from '../swarm/notify.ts';
import type { Db } from '../redis/db.ts';
import type { CreateRecord } from '../run-record/run-record.ts';
import { markSwarm, runPreflight } from '../redis/preflight.ts';
import { createTaskHandler } from './handler.ts';

/** The members of a connected fleet that a single task needs. */
export interface SingleFleet {
  inner: {
    config: Config;
    db: Db;
    queues: Record<QueueName, Queue>;
    currentSession: () => Promise<string>;
    createRecord: CreateRecord;
    others: OtherSwarms;
  };
}

export interface SingleOptions {
  model: Model;
  /** Default: `FLEET_WORKER_ID`, else the next free name of this host. */
  workerId?: string;
  /** Its reason is the error that `runSingle` then throws. A call under way is booked as uncertain. */
  signal: AbortSignal;
  /** Called before each wait. */
  onWait: (ms: number, why: string) => void;
}

/**
 * Runs one task in this process, without the queue. Budgets, ledger, halts and findings are those of the fleet. It waits
 * for a busy or unavailable provider as a worker does, and pays nothing twice.
 * @throws UsageError for a task that breaks a rule, and every class that a worker's run throws
 */
export async function runSingle(fleet: SingleFleet, input: TaskInput, options: SingleOptions): Promise<Finding> {
  const { db, config, queues, currentSession, createRecord } = fleet.inner;
  const { redis, keys } = db;
  const task = await checkTask(input, await readKnownNames(db, toConfigured(config)));
  await runPreflight(db);
  await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
  await seedBudget(db, config.FLEET_BUDGET_USD);
  const name = await takeWorkerName(db, options.workerId ?? config.FLEET_WORKER_ID);
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const halt = createHaltSwitch(db, Object.values(queues), { notifier });
  const jobId = `single-${randomBytes(8).toString('hex')}`;
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const paced = createPacer({
    db,
    limitKeyOf: (id) => options.model.limitKeyOf?.(id),
    rowOf: pacedRowsOf(catalogOf(config)),
    who: name.id,
    log,
  });
  const pacer = createShardPacer({ config, db, workerId: name.id, others: paced, log, notifier });
  const handle = createTaskHandler({
    config,
    db,
    model: options.model,
    pacer,
    ledger: createTurnLedger({ db, workerId: name.id }),
    findings: withOtherSwarms(createFindingStore(db), fleet.inner.others),
    workerId: name.id,
    currentSession,
  });
  let data = tasksQueue.data.parse(task);
  const record = createRecord();
  record?.note({ kind: 'taken', by: name.id });
  try {
    for (;;) {
      try {
        const { finding } = await handle(data, {
          token: '', // no lock: no other process knows this job
          jobId,
          attempt: 0,
          signal: options.signal,
          isDraining: () => false,
          record,
        });
        return finding;
      } catch (error) {
        const next = error instanceof TaskFailedError ? toEscalation(data, error, config.FLEET_HAIKU_MODEL) : null;
        if (next !== null) {
          options.onWait(0, `${next.model} tries it again, after ${toMessage(error)}`);
          data = { ...data, ...next };
          continue;
        }
        const waitMs = await handleError(error, fleet, jobId, halt, name.id);
        options.onWait(waitMs, toMessage(error));
        await sleep(waitMs, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
      }
    }
  } finally {
    await pacer.close();
    await redis.del(keys.turns(jobId), keys.spend(`task:${jobId}`)); // no other run can use them: only this process knows the id
    await name.release();
    await notifier.flush();
  }
}

/** Time between two tries while calls of other processes hold the rest of a budget. */
const HELD_WAIT_MS = 2_000;

/**
 * Notes a failed run as a worker would: cools the model down, counts the outage, or halts the fleet.
 * @returns how long to wait before the next run, ms
 * @throws the given error if waiting does not help
 */
async function handleError(
  error: unknown,
  { inner }: SingleFleet,
  jobId: string,
  halt: HaltSwitch,
  by: string,
): Promise<number> {
  const { db } = inner;
  if (error instanceof RateLimitedError) return coolDown(db, error.model, error.retryAfterMs);
  if (error instanceof BudgetHeldError) return HELD_WAIT_MS;
  if (error instanceof ModelCoolingError || error instanceof ShardsUsedUpError) return Math.max(100, error.delayMs);
  if (error instanceof ProviderUnavailableError) {
    const { failures, downMs } = await countUnavailable(db, jobId, error);
    if (downMs <= GIVE_UP_AFTER_MS) return toBackoffMs(failures);
  }
  const step = `single task ${jobId}`;
  if (error instanceof AccountRefusedError) {
    await halt.halt({ reason: 'account-refused', step, by, detail: error.message });
  }
  if (error instanceof BudgetReachedError && error.scope === 'day') {
    await halt.halt({ reason: 'budget', step, by, detail: error.message });
  }
  throw error;
}
