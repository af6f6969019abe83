import type { Usage } from '../queues/usage.ts';

/**
 * The closed set of errors that the fleet throws on purpose. Only `src/jobs/outcomes/outcomes.ts` decides the outcome of a
 * job that ends with one. A message names the thing, the rule and the value, and, where it helps, what to do.
 */

/** What a provider bills for one call: its tokens, and where it served the call if it says so. */
export interface BilledUsage extends Usage {
  geo?: string;
}

/**
 * The cost of a model call that ended in an error. `no`: nothing. `unknown`: the request was sent and no usage came back.
 * A usage: the provider reported it with the error. `reported`: a stream broke after it had reported this much; the rest is
 * unknown.
 */
export type Billed = 'no' | 'unknown' | BilledUsage | { reported: BilledUsage };

/** Base of every error the fleet throws on purpose. */
export class FleetError extends Error {
  override name = 'FleetError';
  /** `src/models` sets it on every error of a call. Undefined: no call caused the error. */
  billed?: Billed;
}

/** A setting of the environment is wrong. The process exits with code 78, and pm2 does not restart it. */
export class ConfigError extends FleetError {
  override name = 'ConfigError';
}

/** Wrong use of the command line or the API. Exit code 2. */
export class UsageError extends FleetError {
  override name = 'UsageError';
}

/** A named job, finding, batch or other thing does not exist. Exit code 1: the command was used correctly. */
export class NotFoundError extends UsageError {
  override name = 'NotFoundError';
}

/** Why another swarm is not read. */
export type SwarmRefusal = 'not-read-here' | 'not-shared-there' | 'unreachable' | 'empty';

/** Another swarm cannot be read. The message names the rule, and the variable that changes it. */
export class SwarmRefusedError extends UsageError {
  override name = 'SwarmRefusedError';
  constructor(
    /** Name of the other swarm. */
    readonly swarm: string,
    /** `not-read-here`, `not-shared-there`: a rule of one of the two; `unreachable`: its Redis; `empty`: no process of it ever ran. */
    readonly reason: SwarmRefusal,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Redis cannot be used: it is unreachable, read-only or full, or its eviction policy is wrong. */
export class RedisUnusableError extends FleetError {
  override name = 'RedisUnusableError';
}

/** No Redis answers at the address. It keeps the name `RedisUnusableError`, by which scripts recognise it. */
export class RedisAwayError extends RedisUnusableError {}

/** A private key that all jobs share holds what the fleet cannot use. The message names it and the command that sets it aside. */
export class DamagedKeyError extends FleetError {
  override name = 'DamagedKeyError';
}

/** The job breaks a rule of its queue: bad data or an unknown name. It fails at once, and no retry can succeed. */
export class InvalidJobError extends FleetError {
  override name = 'InvalidJobError';
}

export const TASK_FAILURE_REASONS = [
  'refusal', // the model declined the task
  'step-limit', // the task used up its turns or tokens
  'malformed', // the reply has no usable form
  'schema', // the result does not fit the task's schema, also after one repair
  'tool', // a tool cannot do what the task needs
  'handed-back', // the worker handed the task back: it needs more judgement
  'workspace', // the workspace is not known on this host
  'conflict', // the patches that the task builds on contradict each other
  'context', // a memory context of the task does not exist
  'finding-taken', // another job has stored a finding with this id
  'model', // the model is unknown, has no price or is not available
  'request', // the provider calls the request invalid
  'too-long', // the prompt does not fit the model's window
  'timeout', // the same call reached the same time limit twice
  'deadline', // the whole job took longer than its queue allows
  'citations', // an answer cites no finding, or one that the model was not shown
  'no-evidence', // no finding fits the question's filter
  'quorum', // too few of a mission's tasks are done
  'shard', // a shard failed on a paper's question, which goes to no other shard
  'outside', // an outside worker said that it cannot do the task
] as const;
export type TaskFailureReason = (typeof TASK_FAILURE_REASONS)[number];

/** The task itself failed. To run it again unchanged would not help. */
export class TaskFailedError extends FleetError {
  override name = 'TaskFailedError';
  /** Id of the model that did the task. Undefined: it is the one that the job names, or the default one. */
  model?: string;
  constructor(
    readonly reason: TaskFailureReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The provider limits calls of this model. `retryAfterMs`: the wait that it named; 0: none that can be used. */
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

/** What a 429 of Gemini reports about the project's limits. */
export interface QuotaInfo {
  /** `day`: used up until midnight Pacific. `tokens`: prompt tokens a minute. `minute`: requests a minute. */
  scope: 'minute' | 'day' | 'tokens';
  /** The wait that the provider named, else the fleet's default. Wrong for `day`: such a refusal has named 38 s. */
  retryAfterMs: number;
  /** The limit that the provider named; 0: the project may not use the model; null: it named none. */
  statedLimit: number | null;
}

/** A Gemini project has used up one of its limits on this model. Another project may still serve the query. */
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

/** 5xx, 529, network error or timeout. `sent`: the provider may have served the request, so its cost is uncertain. */
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

/** A call reached a time limit of the fleet. `idle`: nothing arrived for so long. `total`: the reply was not whole by then. */
export class CallTimeoutError extends ProviderUnavailableError {
  override name = 'CallTimeoutError';
  /** For how long nothing had arrived, ms; 0: something had, or it is not known. */
  readonly silentMs: number;
  constructor(
    model: string,
    readonly limit: 'idle' | 'total',
    message: string,
    options: ErrorOptions & { silentMs?: number } = {},
  ) {
    super(model, true, message, options);
    this.silentMs = options.silentMs ?? 0;
  }
}

/** A thinking block was sent back after another prefix than the one it was made for. The call is not billed. */
export class BoundThinkingError extends TaskFailedError {
  override name = 'BoundThinkingError';
  constructor(message: string, options?: ErrorOptions) {
    super('request', message, options);
  }
}

/** A prompt has more tokens than the model takes, by the provider's count. The call is not billed. */
export class PromptTooLongError extends TaskFailedError {
  override name = 'PromptTooLongError';
  constructor(
    /** Of the prompt. */
    readonly tokens: number,
    /** The most that the provider takes. */
    readonly limit: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super('too-long', message, options);
  }
}

/** 401, 402, 403 or a spend limit: the fleet halts with the provider's message. */
export class AccountRefusedError extends FleetError {
  override name = 'AccountRefusedError';
}

/** The next call could pass a budget. The budget of the day halts the fleet; any other budget parks its jobs. */
export class BudgetReachedError extends FleetError {
  override name = 'BudgetReachedError';
  constructor(
    readonly scope: 'day' | 'client' | 'batch' | 'task' | 'mission' | 'rule',
    /** Name of the client, batch, mission or rule, id of the task's job; empty for the day. */
    readonly scopeName: string,
    message: string,
    /** The budget's limit, nano-dollars; below 0: no limit, a person set the mission aside. */
    readonly limitNanoUsd: number,
  ) {
    super(message);
  }
}

/**
 * The rest of a budget is enough for the next call, but calls under way have reserved it at their worst case. The job waits
 * until they end; this costs no attempt.
 */
export class BudgetHeldError extends FleetError {
  override name = 'BudgetHeldError';
  constructor(
    readonly scope: 'day' | 'client' | 'batch' | 'task' | 'mission' | 'rule',
    /** Name of the client, batch, mission or rule, id of the task's job; empty for the day. */
    readonly scopeName: string,
    message: string,
    /** The worst case of the job's next call, nano-dollars. */
    readonly worstNanoUsd: number,
  ) {
    super(message);
  }
}

/** The fleet is halted: the job goes back to waiting. */
export class HaltError extends FleetError {
  override name = 'HaltError';
}

/** The model cools down, or a probe is testing it. The job waits `delayMs`; this costs no attempt. */
export class ModelCoolingError extends FleetError {
  override name = 'ModelCoolingError';
  constructor(
    readonly model: string,
    readonly delayMs: number,
    message: string,
    /** Uncertain cost fills the budget of the day: another model would wait as well. */
    readonly isForMoney = false,
  ) {
    super(message);
  }
}

/** No shard has room, and no other model may answer. The job waits `delayMs`; this costs no attempt. */
export class ShardsUsedUpError extends FleetError {
  override name = 'ShardsUsedUpError';
  constructor(
    readonly delayMs: number,
    message: string,
    /** Whether any shard with room could serve the question: it is then woken before its time. */
    readonly isForAnyShard = false,
  ) {
    super(message);
  }
}

/** The task has asked its peers, and waits until one of them answers or its time is over. This costs no attempt. */
export class AwaitsPeersError extends FleetError {
  override name = 'AwaitsPeersError';
  constructor(
    /** Its open questions, as `queues/assist.ts` names them. */
    readonly calls: readonly string[],
    /** ms, by Redis' clock: from then on it goes on without an answer. */
    readonly dueAt: number,
    message: string,
  ) {
    super(message);
  }
}

/** This process shuts down, or gives the job up. The job goes back to waiting; the running turn is stored first. */
export class ShutdownError extends FleetError {
  override name = 'ShutdownError';
}

/** Another worker has this job. The run must change nothing more. */
export class LockLostError extends FleetError {
  override name = 'LockLostError';
}

/** Only outside workers may do this task, and a worker of the fleet got it: it is offered to them again. */
export class ForOutsideError extends FleetError {
  override name = 'ForOutsideError';
}

/** Another program's worker has claimed the task. The job waits for its result, or the end of its claim; this costs no attempt. */
export class HeldElsewhereError extends FleetError {
  override name = 'HeldElsewhereError';
  constructor(
    /** The other program's id. */
    readonly oldId: string,
    /** Who has claimed it. */
    readonly by: string,
    /** The longest wait, ms: until the claim ends. */
    readonly delayMs: number,
    /** A result of an older text of the same id, which is none of this one; empty: none. */
    readonly result: string,
    message: string,
  ) {
    super(message);
  }
}

/** An outside worker's lease holds its task no more. The message says who has the task, or what became of it. */
export class LeaseLostError extends FleetError {
  override name = 'LeaseLostError';
}

/** The job's worker died three times while the job ran. The job fails, until a person retries it. */
export class QuarantinedError extends FleetError {
  override name = 'QuarantinedError';
}

/** A person cancelled the job. */
export class CancelledError extends FleetError {
  override name = 'CancelledError';
}

/** A job has failed, was cancelled or is parked for whose end the caller waited. `reason` is its failed reason: `word: text`. */
export class JobFailedError extends FleetError {
  override name = 'JobFailedError';
  constructor(
    readonly jobId: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`job ${jobId} ${describeEnd(reason)}`, options);
  }
}

/** How a job ended, to follow its name. One that a person cancelled, or that is parked, has not failed. @param reason `word: text` */
export function describeEnd(reason: string): string {
  if (reason.startsWith('parked: ')) return `is ${reason}`;
  return /^cancelled\b/.test(reason) ? `was ${reason.replace(/^cancelled: (?=cancelled\b)/, '')}` : `failed: ${reason}`;
}

/** The caller's timeout for a wait is over. The task continues, and the caller may wait for it again. */
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

/** A finding's result breaks a rule of the typed task's output that JSON Schema cannot express, so no worker checked it. */
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

/** Returns the message of an error, or the text of any other thrown value. */
export function toMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
