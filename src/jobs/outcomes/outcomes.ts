import {
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
  type Job,
  type Queue,
} from 'bullmq';
import {
  AccountRefusedError,
  BudgetHeldError,
  BudgetReachedError,
  CancelledError,
  HaltError,
  InvalidJobError,
  LockLostError,
  ModelCoolingError,
  ProviderUnavailableError,
  QuarantinedError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { noteFailure } from '../../halt/error-rate.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import { noteWastedCost } from '../../ledger/report/wasted-cost.ts';
import type { Logger } from '../../process/logger.ts';
import { allModelsCoolMs, coolDown, countUnavailable, GIVE_UP_AFTER_MS, toBackoffMs, withJitter } from './backoff.ts';
import { toParkedMark } from './parked.ts';
import type { Db } from '../../redis/db.ts';

/** A parked job waits for a person: far enough away that no clock brings it back first. */
const PARKED_MS = 10 * 365 * 24 * 3600_000;
/** First wait for money that calls under way hold, and the longest. */
const HELD_WAIT_MS = 300;
const LONGEST_HELD_WAIT_MS = 10_000;
/** Stored turns of a failed job are kept this long for a retry by hand. */
const KEEP_TURNS_SECONDS = 7 * 24 * 3600;

export interface OutcomeParts {
  db: Db;
  queue: Queue;
  halt: HaltSwitch;
  log: Logger;
  workerId: string;
  /** Model of jobs that name none: to whose account the money of a failed one is put. */
  defaultModel?: string;
}

/**
 * Decides what becomes of a job whose run threw: the one place that does. Each wait, recovery and failure leaves a line
 * in the job's log and a counter for the status.
 * @returns the error to throw to BullMQ, which carries out the rest
 */
export async function toOutcome(thrown: unknown, job: Job, token: string, parts: OutcomeParts): Promise<Error> {
  if (thrown instanceof LockLostError) return new WaitingError(); // another worker has the job: touch nothing
  if (thrown instanceof WaitingChildrenError || thrown instanceof DelayedError) return thrown; // the handler has moved the job
  if (thrown instanceof ShutdownError) return backToWaiting(job, token, parts, 'handed_back_shutdown', thrown.message);
  if (thrown instanceof HaltError) {
    await parts.halt.enforce();
    return backToWaiting(job, token, parts, 'handed_back_halt', `halted: ${thrown.message}`);
  }
  if (thrown instanceof AccountRefusedError) {
    await haltFor('account-refused', thrown, job, parts);
    return backToWaiting(job, token, parts, 'handed_back_halt', `the provider refuses the account: ${thrown.message}`);
  }
  if (thrown instanceof BudgetHeldError)
    return delayed(job, token, parts, 'waits_budget', toHeldWaitMs(job), thrown.message);
  if (thrown instanceof BudgetReachedError) return onBudget(thrown, job, token, parts);
  if (thrown instanceof RateLimitedError) {
    await coolDown(parts.db, thrown.model, thrown.retryAfterMs);
    return delayed(job, token, parts, 'waits_rate_limit', thrown.retryAfterMs, thrown.message);
  }
  if (thrown instanceof ModelCoolingError)
    return delayed(job, token, parts, 'waits_cooling', thrown.delayMs, thrown.message);
  if (thrown instanceof ShardsUsedUpError)
    return delayed(job, token, parts, 'waits_shards', thrown.delayMs, thrown.message);
  if (thrown instanceof ProviderUnavailableError) return onUnavailable(thrown, job, token, parts);
  return failed(thrown, job, parts);
}

/** The word that groups failures: the part of `failedReason` before its colon. */
export function toFailureReason(thrown: unknown): string {
  if (thrown instanceof TaskFailedError) return thrown.reason;
  if (thrown instanceof InvalidJobError) return 'invalid-job';
  if (thrown instanceof CancelledError) return 'cancelled';
  if (thrown instanceof QuarantinedError) return 'quarantined';
  if (thrown instanceof ProviderUnavailableError) return 'provider-unavailable';
  return 'error';
}

/** Calls under way end within seconds, or within minutes: the longer a job has waited for them, the less often it asks. */
function toHeldWaitMs(job: Job): number {
  return Math.min(LONGEST_HELD_WAIT_MS, HELD_WAIT_MS * Math.max(1, job.attemptsStarted));
}

async function onBudget(thrown: BudgetReachedError, job: Job, token: string, parts: OutcomeParts): Promise<Error> {
  if (thrown.scope === 'day') {
    await haltFor('budget', thrown, job, parts);
    return backToWaiting(job, token, parts, 'handed_back_halt', thrown.message);
  }
  const { redis, keys } = parts.db;
  const jobId = job.id ?? '';
  const byPerson = thrown.limitNanoUsd < 0;
  const scope = byPerson ? 'parked-mission' : thrown.scope;
  const mark = toParkedMark({ scope, name: thrown.scopeName }, job.queueName);
  await redis.hset(keys.parked, jobId, mark);
  if (byPerson) await note(job, parts, 'parked_with_mission', `parked. ${thrown.message}`);
  else await note(job, parts, 'parked_budget', `parked: budget. ${thrown.message}`);
  await job.moveToDelayed(Date.now() + PARKED_MS, token);
  // Whoever raised the budget meanwhile may have come before the mark, or before the job was delayed.
  const spend = keys.spend(`${thrown.scope}:${thrown.scopeName}`);
  const [limit, parked] = await redis.hmget(spend, 'limit', 'parked');
  const isRaised = byPerson ? parked === null : limit === null || Number(limit) > thrown.limitNanoUsd;
  if (isRaised || (await redis.hget(keys.parked, jobId)) !== mark) {
    await redis.hdel(keys.parked, jobId);
    await job.promote().catch(() => undefined); // somebody else released it
  }
  return new DelayedError();
}

async function onUnavailable(
  thrown: ProviderUnavailableError,
  job: Job,
  token: string,
  parts: OutcomeParts,
): Promise<Error> {
  const now = Date.now();
  const { failures, since } = await countUnavailable(parts.db, job.id ?? '', thrown.model, now);
  if (now - since > GIVE_UP_AFTER_MS) return failed(thrown, job, parts);
  return delayed(job, token, parts, 'waits_unavailable', toBackoffMs(failures), thrown.message);
}

async function haltFor(reason: string, thrown: Error, job: Job, parts: OutcomeParts): Promise<void> {
  const first = await parts.halt.halt({
    reason,
    step: `job ${job.id ?? ''} in ${job.queueName}`,
    by: parts.workerId,
    detail: thrown.message,
  });
  if (first) parts.log.error({ reason, detail: thrown.message }, 'the fleet is halted');
}

async function backToWaiting(
  job: Job,
  token: string,
  parts: OutcomeParts,
  counter: string,
  why: string,
): Promise<Error> {
  await note(job, parts, counter, `back to waiting: ${why}`);
  await job.moveToWait(token);
  return new WaitingError();
}

async function delayed(
  job: Job,
  token: string,
  parts: OutcomeParts,
  counter: string,
  ms: number,
  why: string,
): Promise<Error> {
  const waitMs = withJitter(ms);
  await note(job, parts, counter, `waits ${Math.ceil(waitMs / 1000)} s: ${why}`);
  // Only the tasks queue serves several models at once; the archive's shards have a gate of their own.
  const all = job.queueName === 'tasks' ? await allModelsCoolMs(parts.db, Date.now()) : 0;
  if (all > 0) {
    await parts.queue.rateLimit(all);
    return new RateLimitError();
  }
  await job.moveToDelayed(Date.now() + waitMs, token);
  return new DelayedError();
}

/** Notes why before BullMQ moves the job: a worker that dies in between runs the job again and comes to the same end. */
async function failed(thrown: unknown, job: Job, parts: OutcomeParts): Promise<Error> {
  const { redis, keys } = parts.db;
  const reason = toFailureReason(thrown);
  const jobId = job.id ?? '';
  const ofTask =
    thrown instanceof TaskFailedError || thrown instanceof InvalidJobError || thrown instanceof CancelledError;
  const chain = redis
    .multi()
    .hincrby(keys.counters, `failed_${reason.replaceAll('-', '_')}`, 1)
    .zrem(keys.cancelled, jobId);
  if ((await redis.exists(keys.turns(jobId))) === 1) {
    chain.hset(keys.turns(jobId), 'cause', ofTask ? 'task' : 'provider', 'cause_attempt', job.attemptsMade);
    chain.expire(keys.turns(jobId), KEEP_TURNS_SECONDS);
  }
  if (job.queueName === 'tasks') await noteWastedCost(chain, job, parts);
  const batch = job.queueName === 'tasks' ? toBatch(job) : null; // a query is paid by a batch, and none of its tasks
  if (batch !== null) chain.sadd(keys.batchFailed(batch), jobId);
  await chain.exec();
  const halted = await noteFailure(parts, { jobId, reason, now: Date.now() });
  if (halted) parts.log.error({ reason: 'error-rate' }, 'the fleet is halted');
  // Unrecoverable whatever its enqueuer asked for: nothing is retried silently.
  const error = new UnrecoverableError(`${reason}: ${toMessage(thrown)}`);
  // Bull Board opens with the stack: where it happened for a bug of ours, the reason alone for everything foreseen.
  error.stack = reason === 'error' && thrown instanceof Error ? (thrown.stack ?? error.message) : error.message;
  return error;
}

async function note(job: Job, parts: OutcomeParts, counter: string, line: string): Promise<void> {
  await parts.db.redis.hincrby(parts.db.keys.counters, counter, 1);
  await job.log(`${new Date().toISOString()} ${line} (${parts.workerId})`);
}

function toBatch(job: Job): string | null {
  const data: unknown = job.data;
  if (typeof data !== 'object' || data === null || !('batch' in data)) return null;
  return typeof data.batch === 'string' ? data.batch : null;
}
