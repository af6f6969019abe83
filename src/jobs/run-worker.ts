import { Worker, type Job, type Processor, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { QueueDefinition } from '../../queues/define.ts';
import { CancelledError, LockLostError, QuarantinedError, TaskFailedError } from '../errors.ts';
import type { HaltSwitch } from '../halt/halt.ts';
import type { Logger } from '../logger.ts';
import type { Keys } from '../redis/keys.ts';
import { toOutcome } from './outcomes.ts';
import { parseJob } from './parse-job.ts';
import { watchStuckWorker } from './stuck-worker.ts';

/** Locks live 10 s, are renewed every 5 s and looked after every 2.5 s: a job of a killed worker goes on in under 13 s. */
const LOCK_MS = 10_000;
const STALLED_INTERVAL_MS = 2_500;
/** A job whose worker died this often is set apart: it may be what kills them. */
const QUARANTINE_AFTER = 3;
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
  /** True once this process is going away: stop at the next point where nothing is lost. */
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
  redis: Redis;
  keys: Keys;
  queue: Queue;
  halt: HaltSwitch;
  log: Logger;
  workerId: string;
  concurrency: number;
  /** Called whenever a job starts or ends. */
  onChange?: () => void;
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
  const { redis, keys, queue, log, workerId, concurrency } = parts;
  const active = new Set<string>();
  let draining = false;
  let lastStartAt = Date.now();

  const processor: Processor = async (job, token, signal) => {
    const jobId = job.id ?? '';
    active.add(jobId);
    lastStartAt = Date.now();
    parts.onChange?.();
    let limit: { signal: AbortSignal; clear: () => void } | undefined;
    try {
      if (job.stalledCounter >= QUARANTINE_AFTER) await quarantine(redis, keys, jobId, job.stalledCounter);
      const data = parseJob(definition, job);
      limit = toErrorSignal(signal ?? new AbortController().signal, definition.timeoutMs);
      return await handler(data, { job, token: token ?? '', signal: limit.signal, isDraining: () => draining });
    } catch (error) {
      throw await toOutcome(error, job, token ?? '', parts);
    } finally {
      limit?.clear();
      active.delete(jobId);
      parts.onChange?.();
    }
  };

  // BullMQ hands over its signal only to a function with exactly these three plain parameters.
  const worker = new Worker(definition.name, (job, token, signal) => processor(job, token, signal), {
    connection: redis,
    prefix: keys.bullPrefix,
    name: workerId,
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
    metrics: { maxDataPoints: METRICS_POINTS },
    removeOnComplete: definition.keep.completed,
    removeOnFail: definition.keep.failed,
  });
  worker.on('error', (error) => log.warn({ reason: error.message }, 'worker'));
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) worker.cancelJob(jobId, 'lock-lost');
  });
  worker.on('stalled', (jobId) => {
    noteRecovery(redis, keys, queue, jobId, workerId).catch((error: unknown) =>
      log.warn({ error }, 'recovery not noted'),
    );
  });
  worker.on('failed', (job, error) => log.info({ jobId: job?.id, reason: error.message.slice(0, 200) }, 'job failed'));

  const stopWatching = watchStuckWorker({
    queue,
    isFree: () => !draining && active.size < concurrency,
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
    activeJobs: () => [...active],
    cancel: (jobId) => void worker.cancelJob(jobId, 'cancelled'),
    async close() {
      draining = true;
      stopWatching();
      await worker.close();
    },
  };
}

/** The signal BullMQ gives says only why in a word; handlers get an error they can throw. */
function toErrorSignal(cancel: AbortSignal, timeoutMs: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const onCancel = (): void => {
    const lost = String(cancel.reason).includes('lock-lost');
    controller.abort(
      lost ? new LockLostError('the lock could not be renewed') : new CancelledError('cancelled by a person'),
    );
  };
  if (cancel.aborted) onCancel();
  cancel.addEventListener('abort', onCancel, { once: true });
  const deadline = setTimeout(() => {
    controller.abort(new TaskFailedError('deadline', `not done after ${Math.round(timeoutMs / 60_000)} minutes`));
  }, timeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(deadline) };
}

/** @throws QuarantinedError once the job's workers died three times since it was last set apart */
async function quarantine(redis: Redis, keys: Keys, jobId: string, stalls: number): Promise<void> {
  const before = Number((await redis.hget(keys.crashBase, jobId)) ?? 0);
  if (stalls - before < QUARANTINE_AFTER) return;
  await redis.hset(keys.crashBase, jobId, stalls);
  await redis.hincrby(keys.counters, 'quarantined', 1);
  throw new QuarantinedError(`its worker died ${stalls - before} times while it ran`);
}

async function noteRecovery(redis: Redis, keys: Keys, queue: Queue, jobId: string, by: string): Promise<void> {
  await redis.hincrby(keys.counters, 'recoveries', 1);
  const job = await queue.getJob(jobId);
  await job?.log(
    `${new Date().toISOString()} recovered: its worker died or froze; what it had stored is used again (${by})`,
  );
}
