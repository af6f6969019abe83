import {
  createRedisBackend,
  DelayedError,
  RateLimitError,
  WaitingChildrenError,
  WaitingError,
  type Job,
  type Queue,
  type Worker,
} from 'bullmq';
import type { z } from 'zod';
import type { QueueDefinition } from '../../../queues/define.ts';
import { CancelledError, LockLostError, ShutdownError } from '../../errors.ts';
import { readHalt, type HaltSwitch } from '../../halt/halt.ts';
import { createThrottledWarning } from '../../process/throttled-log.ts';
import type { Logger } from '../../process/logger.ts';
import type { RunPlace } from '../../ledger/types.ts';
import type { Db } from '../../redis/db.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { parseJob } from '../contract.ts';
import { keepRedisTime } from '../redis-time.ts';
import { toOutcome } from '../outcomes/outcomes.ts';
import { createActiveRun, type ActiveRun } from './active-run.ts';
import { holdBack } from '../bullmq/held-backend.ts';
import { forgetCrashes, noteRecovery, type ProgressReader } from './crash-count.ts';
import { LOCK_MS, startLockRenewal } from './locks.ts';
import { watchOrphans } from './orphans.ts';
import { PatientWorker } from '../bullmq/patient-worker.ts';
import { watchProcesses } from './process-watch.ts';
import { createQueueHold, type QueueHold } from '../bullmq/queue-hold.ts';
import { NotedPlace } from './run-place.ts';
import { watchStuckWorker } from './stuck-worker.ts';
import { mendUnendableJob, mendUnreadableJobs } from './unreadable-jobs.ts';
import { SuspectGuard } from './suspect-guard.ts';
import { startOf } from '../../text/start-of.ts';

/** How often expired locks are looked for. A lock lives 10 s, so a killed worker's job is taken again in under 13 s. */
const STALLED_INTERVAL_MS = 2_500;
/** A worker whose queue stops for a model looks again this often: a probe may have reopened it. */
const LOOK_AGAIN_MS = 2_000;
/** BullMQ's limit counts deaths for the job's whole life, also across a retry by a person: a last resort above ours. */
const MAX_STALLED_COUNT = 1_000;
/** One week of minutes: without it the queue's Prometheus counters stay 0. */
const METRICS_POINTS = 7 * 24 * 60;

/** What a job's handler gets besides its data. */
export interface JobRun {
  job: Job;
  token: string;
  /** Fires with the error to end with: cancelled, lock lost, out of time. */
  signal: AbortSignal;
  /** True once this process closes, or another job must run alone in it: stop at the next point where nothing is lost. */
  isDraining(): boolean;
  /** Where the run is: what it does there may be what kills its worker. Undefined: its worker never died. */
  place: RunPlace | undefined;
  /** What the run notes for people. Undefined: nothing is recorded. */
  record: RunRecord | undefined;
}

/** Does the work of one job. It throws one of the errors of `src/errors.ts` if it cannot complete it. */
export type JobHandler<Data extends z.ZodObject, Result extends z.ZodType> = (
  data: z.output<Data>,
  run: JobRun,
) => Promise<z.output<Result>>;

export interface RunningWorker {
  worker: Worker;
  activeJobs(): string[];
  cancel(jobId: string): void;
  /** For a process that must leave while it closes: ends every run now. Its call is booked as far as it was reported. */
  cutOff(): void;
  /** Takes no further job, lets running turns end, gives the jobs back and closes. */
  close(): Promise<void>;
}

export interface WorkerParts {
  db: Db;
  queue: Queue;
  halt: HaltSwitch;
  log: Logger;
  workerId: string;
  concurrency: number;
  /** Longest time of one run. Default: the queue's. */
  runMs?: number;
  /** Model of jobs that name none. */
  defaultModel?: string;
  /** Called whenever a job starts or ends. */
  onChange?: () => void;
  /** Creates the record of a run. Default: nothing is recorded. */
  createRecord?: () => RunRecord | undefined;
  /** Called when a job was delayed until calls under way have ended. */
  onMoneyAwaited?: () => void;
  /** Reads a job's progress, by which the crash count distinguishes a job that kills its workers. Default: its stored turns. */
  readProgress?: ProgressReader;
  /** Called once when the worker is stuck: a slot is free, jobs wait, and none was started for a minute. */
  onStuck?: () => void;
}

/**
 * Builds a BullMQ Worker; nothing else does. It parses each job against its queue's contract, runs the handler, and turns
 * what the handler throws into an outcome.
 */
export function runWorker<Data extends z.ZodObject, Result extends z.ZodType>(
  definition: QueueDefinition<string, string, z.ZodObject, Data, Result>,
  handler: JobHandler<Data, Result>,
  parts: WorkerParts,
): RunningWorker {
  const { db, log, workerId, concurrency } = parts;
  const active = new Set<ActiveRun>();
  const suspects = new SuspectGuard({
    db,
    readProgress: parts.readProgress,
    othersOf: (run) => [...active].filter((other) => other !== run),
    setAlone: (alone) => (worker.concurrency = alone ? 1 : concurrency),
  });
  const hold = createQueueHold(db);
  const outcomeParts = { ...parts, onAllCool: (jobId: string) => hold.begin(jobId) };
  let draining = false;
  let lastStartAt = performance.now();

  function runsOf(jobId: string): ActiveRun[] {
    const runs: ActiveRun[] = [];
    for (const run of active) if (run.jobId === jobId) runs.push(run); // asked for each job: no copy of all
    return runs;
  }

  async function processor(job: Job, token: string): Promise<z.output<Result>> {
    const run = createActiveRun(job, token);
    const earlier = runsOf(run.jobId);
    const place =
      job.stalledCounter > 0 ? new NotedPlace({ redis: db.redis, key: db.keys.crashes(run.jobId), log }) : undefined;
    const record = parts.createRecord?.();
    record?.note({ kind: 'taken', by: workerId });
    active.add(run);
    lastStartAt = performance.now();
    parts.onChange?.();
    try {
      suspects.assertFree();
      if (earlier.length > 0) await replace(earlier);
      if (place !== undefined) {
        await suspects.admit(run);
        await place.enter('at its beginning');
      }
      const data = parseJob(definition, job);
      run.startClock(parts.runMs ?? definition.timeoutMs);
      const isDraining = (): boolean => draining || suspects.mustMakeRoom(run);
      const result = await handler(data, { job, token, signal: run.signal, isDraining, place, record });
      if (place !== undefined) await forgetCrashes(db, run.jobId);
      if (record?.isPending === true) await writeRest(run.jobId, record); // of a run that stored nothing new
      return result;
    } catch (error) {
      await place?.leave();
      const outcome = await toOutcome(error, job, token, { ...outcomeParts, record });
      if (!(error instanceof LockLostError)) await writeRest(run.jobId, record); // the handler moved the job
      if (place !== undefined && isEnd(outcome)) await forgetCrashes(db, run.jobId);
      throw outcome;
    } finally {
      place?.end();
      run.end();
      active.delete(run);
      hold.ended(run.jobId);
      suspects.release(run);
      parts.onChange?.();
    }
  }

  /** People read the record, nothing depends on it: the end of the run does not. */
  const writeRest = (jobId: string, record: RunRecord | undefined): Promise<void> =>
    record?.flush(db, definition.name, jobId).catch(() => undefined) ?? Promise.resolve();

  const worker = connectWorker(definition, processor, parts, hold);
  const stopProcessWatch = watchProcesses({
    db,
    queue: definition.name,
    id: worker.id,
    workerId,
    onFreed: () => worker.takeBackStalled(),
    log,
  });
  const stopRenewing = startLockRenewal({
    db,
    queue: definition.name,
    workerId,
    held: () => active,
    onLost: (run) => run.stop(new LockLostError(`another worker has job ${run.jobId}`)),
    log,
  });
  const stopWatchingOrphans = watchOrphans({
    db,
    queue: parts.queue,
    tokenPrefix: `${worker.id}:`,
    held: () => active,
    onError: (error) => log.warn({ error }, 'jobs that were handed out and not started: not looked for'),
  });
  const stopWatching = watchStuckWorker({
    queue: parts.queue,
    isFree: () => !draining && !suspects.isBusy && active.size < concurrency,
    lastStartAt: () => lastStartAt,
    isHeldBack: async () => (await readHalt(db)) !== null,
    onStuck: () => {
      log.error(
        { jobs: active.size },
        'jobs wait, slots are free, and none was started for a minute: leaving to be restarted',
      );
      parts.onStuck?.();
    },
    log,
  });

  return {
    worker,
    activeJobs: () => [...new Set([...active].map((run) => run.jobId))],
    cancel(jobId) {
      for (const run of runsOf(jobId)) run.stop(new CancelledError('cancelled by a person'));
    },
    cutOff() {
      for (const run of active) run.stop(new ShutdownError('the process left before the running call had ended'));
    },
    async close() {
      draining = true;
      stopWatching();
      stopWatchingOrphans();
      await worker.close();
      stopRenewing();
      await stopProcessWatch();
    },
  };
}

/** This process froze, lost the job, and has it again: the old run must be over before the new one begins. */
async function replace(earlier: readonly ActiveRun[]): Promise<void> {
  for (const run of earlier) run.stop(new LockLostError(`job ${run.jobId} was lost and taken again`));
  await Promise.all(earlier.map((run) => run.over));
}

/** Whether what BullMQ is told ends the job: the others move it. */
function isEnd(outcome: Error): boolean {
  return ![WaitingError, DelayedError, WaitingChildrenError, RateLimitError].some((moved) => outcome instanceof moved);
}

function connectWorker(
  definition: QueueDefinition,
  processor: (job: Job, token: string) => Promise<unknown>,
  { db, queue, log, workerId, concurrency }: WorkerParts,
  hold: QueueHold,
): PatientWorker {
  const settings = {
    connection: db.redis,
    prefix: db.keys.bullPrefix,
    name: workerId,
    concurrency,
    lockDuration: LOCK_MS,
    skipLockRenewal: true, // `startLockRenewal` does it
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
    maximumRateLimitDelay: LOOK_AGAIN_MS,
    metrics: { maxDataPoints: METRICS_POINTS },
    removeOnComplete: definition.keep.completed,
    removeOnFail: { count: -1 }, // none: `dropEndedJobs` removes them, and counts them
  };
  const work = (job: Job, token?: string): Promise<unknown> => processor(job, token ?? '');
  const inRedisTime = keepRedisTime(createRedisBackend, db.clock);
  const worker = new PatientWorker(definition.name, work, settings, holdBack(inRedisTime, hold));
  worker.onUnreadable = async () => {
    const mended = await mendUnreadableJobs(db, queue);
    if (mended > 0) log.warn({ jobs: mended }, 'a job is no JSON; it fails as invalid-job');
    return mended > 0;
  };
  worker.onUnendable = (job, token) => mendUnendableJob(db, { job, token, lockMs: LOCK_MS });
  worker.on('error', createThrottledWarning(log, 'worker'));
  worker.on('stalled', (jobId) => {
    noteRecovery(db, queue, jobId, workerId).catch((error: unknown) => log.warn({ error }, 'recovery not noted'));
  });
  worker.on('failed', (job, error) => log.info({ jobId: job?.id, reason: startOf(error.message, 200) }, 'job failed'));
  return worker;
}
