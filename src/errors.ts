import type { Usage } from '../queues/usage.ts';

/**
 * The closed set of ways a job can end other than well. `src/jobs/outcomes/outcomes.ts` decides what becomes of each; no other
 * place does. A message names the thing, the rule and the value, and where it helps, what to do.
 */

/**
 * What a model call that ended in an error cost: nothing, nobody knows (the request was sent and no usage came back), or
 * the usage the provider reported all the same.
 */
export type Billed = 'no' | 'unknown' | Usage;

/** Base of every error the fleet throws on purpose. */
export class FleetError extends Error {
  override name = 'FleetError';
  /** Set by `src/models` on whatever a call throws; undefined on errors that no call caused. */
  billed?: Billed;
}

/** The environment is wrong. A process exits 78 and is not restarted. */
export class ConfigError extends FleetError {
  override name = 'ConfigError';
}

/** The caller asked for something that cannot be: wrong use of the command line or the API. Exit code 2. */
export class UsageError extends FleetError {
  override name = 'UsageError';
}

/** What was named does not exist: a job, a finding, a batch. Exit code 1, because the command was used rightly. */
export class NotFoundError extends UsageError {
  override name = 'NotFoundError';
}

/** Redis cannot be used as it is: unreachable, read-only, wrong policy, full. */
export class RedisUnusableError extends FleetError {
  override name = 'RedisUnusableError';
}

/** Nobody answers where Redis should be. Its name stays that of its kind: scripts know it by that. */
export class RedisAwayError extends RedisUnusableError {}

/** The job breaks a rule of its queue: bad data, unknown name. It fails at once and cannot succeed. */
export class InvalidJobError extends FleetError {
  override name = 'InvalidJobError';
}

export const TASK_FAILURE_REASONS = [
  'refusal', // the model declined
  'step-limit', // turns or tokens used up
  'malformed', // a reply that is no reply
  'schema', // the result does not fit the task's schema, also after one repair
  'tool', // a tool cannot do what the task needs
  'handed-back', // the worker says it needs the coordinator's judgement
  'workspace', // the workspace is not known on this host
  'context', // a memory context it asks for does not exist
  'finding-taken', // its finding id belongs to somebody else
  'model', // the model is unknown, without a price or not available
  'deadline', // the whole job took longer than its queue allows
  'citations', // an answer of the archive cites nothing, or what it was not shown
  'no-evidence', // no finding fits the question's filter
  'quorum', // too few of a mission's tasks are done
  'shard', // a shard failed under a paper's question, which is not sent on to another
] as const;
export type TaskFailureReason = (typeof TASK_FAILURE_REASONS)[number];

/** The task itself failed and running it again unchanged would not help. */
export class TaskFailedError extends FleetError {
  override name = 'TaskFailedError';
  constructor(
    readonly reason: TaskFailureReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The provider says this *model* must wait. `retryAfterMs` is what it said, or our default where it said nothing. */
export class RateLimitedError extends FleetError {
  override name = 'RateLimitedError';
  constructor(
    readonly model: string,
    readonly retryAfterMs: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a 429 of Gemini says about the project's limits. */
export interface QuotaInfo {
  /** `day`: used up until midnight Pacific. `tokens`: prompt tokens a minute. `minute`: requests a minute. */
  scope: 'minute' | 'day' | 'tokens';
  /** As the provider said, else our default. Not to be believed for `day`: such a refusal has carried 38 s. */
  retryAfterMs: number;
  /** The limit in force by the provider's words, 0 where the project may not use the model at all; null where it names none. */
  statedLimit: number | null;
}

/** A Gemini project has used up one of its limits on this model. Other projects may still serve the same query. */
export class QuotaError extends RateLimitedError {
  override name = 'QuotaError';
  constructor(
    model: string,
    readonly quota: QuotaInfo,
    message: string,
    options?: ErrorOptions,
  ) {
    super(model, quota.retryAfterMs, message, options);
  }

  get scope(): QuotaInfo['scope'] {
    return this.quota.scope;
  }

  get statedLimit(): number | null {
    return this.quota.statedLimit;
  }
}

/** 5xx, 529, network or timeout. `sent` tells whether the request may have been served, so that its cost is uncertain. */
export class ProviderUnavailableError extends FleetError {
  override name = 'ProviderUnavailableError';
  constructor(
    readonly model: string,
    readonly sent: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** 401, 402, 403 or a spend limit: the fleet halts with the provider's words. */
export class AccountRefusedError extends FleetError {
  override name = 'AccountRefusedError';
}

/** A limit would be passed by the next call. `scope` is `day`, or the own budget that only parks its jobs. */
export class BudgetReachedError extends FleetError {
  override name = 'BudgetReachedError';
  constructor(
    readonly scope: 'day' | 'batch' | 'task' | 'mission',
    /** Name of the batch or mission, id of the task's job; empty for the day. */
    readonly scopeName: string,
    message: string,
    /** The limit that would have been passed, nano-dollars; below 0: no limit, a person set the mission aside. */
    readonly limitNanoUsd: number,
  ) {
    super(message);
  }
}

/**
 * A limit has room for the next call, but calls under way hold it at their worst case: the job waits until they end, and
 * costs no attempt.
 */
export class BudgetHeldError extends FleetError {
  override name = 'BudgetHeldError';
}

/** The fleet is halted: the job goes back to waiting. */
export class HaltError extends FleetError {
  override name = 'HaltError';
}

/** The model cools down or is under probe: the job waits `delayMs` and costs no attempt. */
export class ModelCoolingError extends FleetError {
  override name = 'ModelCoolingError';
  constructor(
    readonly model: string,
    readonly delayMs: number,
    message: string,
  ) {
    super(message);
  }
}

/** No shard of the archive has room, and no other model may answer: the job waits `delayMs` and costs no attempt. */
export class ShardsUsedUpError extends FleetError {
  override name = 'ShardsUsedUpError';
  constructor(
    readonly delayMs: number,
    message: string,
  ) {
    super(message);
  }
}

/** This process is going away: the job goes back to waiting after the running turn is stored. */
export class ShutdownError extends FleetError {
  override name = 'ShutdownError';
}

/** Another worker has this job: change nothing more. */
export class LockLostError extends FleetError {
  override name = 'LockLostError';
}

/** The job's worker died several times while it ran: it is set apart until a person retries it. */
export class QuarantinedError extends FleetError {
  override name = 'QuarantinedError';
}

/** A person cancelled the job. */
export class CancelledError extends FleetError {
  override name = 'CancelledError';
}

/** A job that was waited for has failed. `reason` is its failed reason: `word: text`. */
export class JobFailedError extends FleetError {
  override name = 'JobFailedError';
  constructor(
    readonly jobId: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`job ${jobId} ${reason.startsWith('parked: ') ? 'is' : 'failed:'} ${reason}`, options);
  }
}

/** The time somebody gave for waiting is over. The task goes on; it can be waited for again. */
export class WaitTimeoutError extends FleetError {
  override name = 'WaitTimeoutError';
  constructor(
    /** Null: several jobs were waited for. */
    readonly jobId: string | null,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A finding's result breaks a rule of the typed task's output that JSON Schema cannot say, so that no worker saw it. */
export class ResultMismatchError extends FleetError {
  override name = 'ResultMismatchError';
  constructor(
    readonly findingId: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text of anything thrown. */
export function toMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
