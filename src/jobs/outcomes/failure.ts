import { UnrecoverableError } from 'bullmq';
import {
  CancelledError,
  InvalidJobError,
  ProviderUnavailableError,
  QuarantinedError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { noteFailure } from '../../halt/error-rate.ts';
import { noteWastedCost } from '../../ledger/report/wasted-cost.ts';
import type { ThrownRun } from './types.ts';

/** Stored turns of a failed job are kept this long for a retry by a person. */
const KEEP_TURNS_SECONDS = 7 * 24 * 3600;

/** Reasons of the errors whose class alone determines the reason. */
const REASONS = [
  [InvalidJobError, 'invalid-job'],
  [CancelledError, 'cancelled'],
  [QuarantinedError, 'quarantined'],
  [ProviderUnavailableError, 'provider-unavailable'],
] as const;

/** The word that groups failures: the part of `failedReason` before its colon. */
export function toFailureReason(thrown: unknown): string {
  if (thrown instanceof TaskFailedError) return thrown.reason;
  return REASONS.find(([type]) => thrown instanceof type)?.[1] ?? 'error';
}

/**
 * Records a failure. It writes everything before BullMQ moves the job: if the worker dies in between, the job runs again
 * and comes to the same end.
 * @returns the error that makes BullMQ fail the job
 */
export async function fail(thrown: unknown, { job, parts }: Pick<ThrownRun, 'job' | 'parts'>): Promise<Error> {
  const { redis, keys, redact } = parts.db;
  const reason = toFailureReason(thrown);
  const jobId = job.id ?? '';
  const chain = redis
    .multi()
    .hincrby(keys.counters, `failed_${reason.replaceAll('-', '_')}`, 1)
    .zrem(keys.cancelled, jobId);
  if ((await redis.exists(keys.turns(jobId))) === 1) {
    chain.hset(keys.turns(jobId), 'cause', isOfTask(thrown) ? 'task' : 'provider', 'cause_attempt', job.attemptsMade);
    chain.expire(keys.turns(jobId), KEEP_TURNS_SECONDS);
  }
  if (job.queueName === 'tasks') {
    await noteWastedCost(chain, job, parts);
    const batch = toBatch(job.data);
    if (batch !== null) chain.sadd(keys.batchFailed(batch), jobId); // a query's batch pays for it, but it is none of its tasks
  }
  await chain.exec();
  const halted = await noteFailure(parts, { jobId, reason, now: Date.now() });
  if (halted) parts.log.error({ reason: 'error-rate' }, 'the fleet is halted');
  // Unrecoverable, even if the program that added the job allowed more attempts: nothing is retried silently.
  const error = new UnrecoverableError(redact(`${reason}: ${toMessage(thrown)}`));
  // Bull Board shows the stack first: the place of a bug, and only the reason of a foreseen failure.
  const hasStack = reason === 'error' && thrown instanceof Error;
  error.stack = hasStack ? redact(thrown.stack ?? error.message) : error.message; // BullMQ packs it in bytes
  return error;
}

/** Whether the task itself is the cause: then a retry does not use its stored turns again. */
function isOfTask(thrown: unknown): boolean {
  if (thrown instanceof TaskFailedError) return thrown.reason !== 'timeout'; // more time may help where it stood
  return thrown instanceof InvalidJobError || thrown instanceof CancelledError;
}

/** Any program may have added the job: its data may be anything. */
function toBatch(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('batch' in data)) return null;
  return typeof data.batch === 'string' ? data.batch : null;
}
