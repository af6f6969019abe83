import type { Job, Queue, Worker } from 'bullmq';
import type { z } from 'zod';
import type { QueueDefinition } from '../../../queues/define.ts';
import { CancelledError, LockLostError, QuarantinedError, ShutdownError } from '../../errors.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import { createSeldomWarning } from '../../process/throttled-log.ts';
import type { Logger } from '../../process/logger.ts';
import { createActiveRun, type ActiveRun } from './active-run.ts';
import { ALONE_AFTER, noteRecovery, QUARANTINE_AFTER, readCrashes, type ProgressReader } from './crash-count.ts';
import { keepLocks, LOCK_MS } from './locks.ts';
import { toOutcome } from '../outcomes/outcomes.ts';
import { PatientWorker } from './patient-worker.ts';
import { parseJob } from '../contract.ts';
import type { Db } from '../../redis/db.ts';
import { watchStuckWorker } from './stuck-worker.ts';

/** Expired locks are looked for this often: with their 10 s of life, a job of a killed worker goes on in under 13 s. */
const STALLED_INTERVAL_MS = 2_500;
/** A worker whose queue stops for a model looks again this often: a probe may have reopened it. */
const LOOK_AGAIN_MS = 2_000;
/** BullMQ's own limit never forgets, not even after a retry by hand: it is only the net below ours. */
const MAX_STALLED_COUNT = 30;
/** One week of minutes: without it the queue's Prometheus counters stay 0. */
const METRICS_POINTS = 7 * 24 * 60;

/** What a job's handler gets besides its data. */
export interface JobRun {
  job: Job;
  token: string;
  /** Fires with the error to end with: cancelled, lock lost, out of time. */
  signal: AbortSignal;
  /** True once this process goes away or makes room for a job that must run alone: stop at the next point where nothing is lost. */
  isDraining(): boolean;
}

export interface RunningWorker {
  worker: Worker;
  activeJobs(): string[];
  cancel(jobId: string): void;
  /** Stops fetching, lets running turns end, hands the jobs back, closes. */
  close(): Promise<void>;
}

export interface WorkerParts {
  db: Db;
  queue: Queue;
  halt: HaltSwitch;
  log: Logger;
  workerId: string;
  concurrency: number;
  /** Model of jobs that name none. */
  defaultModel?: string;
  /** Called whenever a job starts or ends. */
  onChange?: () => void;
  /** How a job that gets on between two deaths is told from one that kills; default: by its stored turns. */
  readProgress?: ProgressReader;
  /** Called once when the worker is stuck: has a free slot, jobs wait, and none was started for a minute. */
  onStuck?: () => void;
}

/**
 * The one place that builds a BullMQ Worker. Parses each job against its queue's contract, runs the handler, and turns
 * whatever it throws into an outcome.
 */
export function runWorker<Data extends z.ZodObject, Result extends z.ZodType>(
  definition: QueueDefinition<string, string, z.ZodObject, Data, Result>,
  handler: (data: z.output<Data>, run: JobRun) => Promise<z.output<Result>>,
  parts: WorkerParts,
): RunningWorker {
  const { db, queue, log, workerId, concurrency } = parts;
  const { redis, keys } = db;
  const active = new Set<ActiveRun>();
  let alone: ActiveRun | null = null;
  let draining = false;
  let lastStartAt = Date.now();

  const runsOf = (jobId: string): ActiveRun[] => [...active].filter((run) => run.jobId === jobId);

  async function processor(job: Job, token: string): Promise<z.output<Result>> {
    const run = createActiveRun(job, token);
    const earlier = runsOf(run.jobId);
    active.add(run);
    lastStartAt = Date.now();
    parts.onChange?.();
    try {
      if (alone !== null) throw new ShutdownError('a job that may kill its worker runs alone here');
      if (earlier.length > 0) await replace(earlier);
      if (job.stalledCounter > 0) await beforeRunningAgain(run);
      const data = parseJob(definition, job);
      run.startClock(definition.timeoutMs);
      const isDraining = (): boolean => draining || (alone !== null && alone !== run);
      return await handler(data, { job, token, signal: run.signal, isDraining });
    } catch (error) {
      throw await toOutcome(error, job, token, parts);
    } finally {
      run.end();
      active.delete(run);
      if (alone === run) leaveAlone();
      parts.onChange?.();
    }
  }

  /** This process stood still, lost the job, and has it again: the old run must be over before the new one begins. */
  async function replace(earlier: ActiveRun[]): Promise<void> {
    for (const run of earlier) run.stop(new LockLostError(`job ${run.jobId} was lost and taken again`));
    await Promise.all(earlier.map((run) => run.over));
  }

  /** @throws QuarantinedError, or ShutdownError where another suspect runs here already */
  async function beforeRunningAgain(run: ActiveRun): Promise<void> {
    const record = await readCrashes(db, run.job, parts.readProgress);
    if (record.crashes >= QUARANTINE_AFTER) {
      await record.clear();
      await redis.hincrby(keys.counters, 'quarantined', 1);
      throw new QuarantinedError(`its worker died ${record.crashes} times while it ran and came no further`);
    }
    if (record.crashes < ALONE_AFTER) return;
    if (alone !== null) throw new ShutdownError('another job that may kill its worker runs alone here');
    alone = run;
    worker.concurrency = 1; // fetches nothing more; the others end their turn and go back to waiting
    await record.forgive();
    await Promise.all([...active].filter((other) => other !== run).map((other) => other.over));
    await record.blame();
  }

  function leaveAlone(): void {
    alone = null;
    worker.concurrency = concurrency;
  }

  const worker = new PatientWorker(definition.name, (job, token) => processor(job, token ?? ''), {
    connection: redis,
    prefix: keys.bullPrefix,
    name: workerId,
    concurrency,
    lockDuration: LOCK_MS,
    skipLockRenewal: true, // `keepLocks` does it
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
    maximumRateLimitDelay: LOOK_AGAIN_MS,
    metrics: { maxDataPoints: METRICS_POINTS },
    removeOnComplete: definition.keep.completed,
    removeOnFail: definition.keep.failed,
  });
  worker.on('error', createSeldomWarning(log, 'worker'));
  worker.on('stalled', (jobId) => {
    noteRecovery(db, queue, jobId, workerId).catch((error: unknown) => log.warn({ error }, 'recovery not noted'));
  });
  worker.on('failed', (job, error) => log.info({ jobId: job?.id, reason: error.message.slice(0, 200) }, 'job failed'));

  const stopRenewing = keepLocks({
    db,
    queue: definition.name,
    workerId,
    held: () => active,
    onLost: (run) => run.stop(new LockLostError(`another worker has job ${run.jobId}`)),
    log,
  });
  const stopWatching = watchStuckWorker({
    queue,
    isFree: () => !draining && alone === null && active.size < concurrency,
    lastStartAt: () => lastStartAt,
    isHeldBack: async () => (await redis.exists(keys.haltReason)) === 1,
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
    async close() {
      draining = true;
      stopWatching();
      await worker.close();
      stopRenewing();
    },
  };
}
