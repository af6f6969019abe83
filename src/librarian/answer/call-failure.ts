import {
  AccountRefusedError,
  PromptTooLongError,
  ProviderUnavailableError,
  QuotaError,
  RateLimitedError,
  TaskFailedError,
  toMessage,
  type QuotaInfo,
} from '../../errors.ts';
import type { ShardFailure } from '../gate/types.ts';

/** What the failure of one call means for its query. */
type NextStep =
  /** The query takes any shard that has room. */
  | { kind: 'next' }
  /** The query does without this shard. `refusal`: the provider refused the key or account. */
  | { kind: 'exclude'; refusal: AccountRefusedError | null }
  /** The query tries a prompt of at most so many tokens. */
  | { kind: 'shrink'; maxTokens: number }
  /** The provider did not answer. */
  | { kind: 'outage'; error: ProviderUnavailableError }
  /** The reply cannot be read; the query fails. */
  | { kind: 'malformed'; error: TaskFailedError }
  | { kind: 'throw'; error: unknown };

export interface CallFailure {
  message: string;
  /** Prompt tokens that the window still counts; 0: the provider served nothing. */
  countedTokens: number;
  /** For the rate gate; null: the failure is not the shard's. */
  report: { kind: 'quota'; quota: QuotaInfo } | { kind: 'failure'; failure: ShardFailure } | null;
  /** For the query's log; null: the query ends with the error. */
  logLine: string | null;
  next: NextStep;
}

/** A stated limit is a round number, and the tokens are an estimate: the next prompt has at most this share. */
export const BELOW_LIMIT = 0.9;
/** Where the provider states no limit, the next prompt has this share of the tokens. */
const SMALLER = 0.5;

/**
 * Decides what a thrown error means, from the error alone.
 * @param call the shard that was asked, and the prompt's estimated tokens
 */
export function classifyFailure(error: unknown, call: { shard: number; tokens: number }): CallFailure {
  const { shard, tokens } = call;
  const message = toMessage(error);
  if (error instanceof RateLimitedError) {
    const quota = toQuota(error);
    return {
      message,
      countedTokens: 0,
      report: { kind: 'quota', quota },
      logLine: `shard ${shard}: ${message}; on to the next`,
      next: afterQuota(quota, tokens),
    };
  }
  if (error instanceof AccountRefusedError) {
    return {
      message,
      countedTokens: 0,
      report: { kind: 'failure', failure: { kind: 'refused', message } },
      logLine: `shard ${shard} is refused: ${message}`,
      next: { kind: 'exclude', refusal: error },
    };
  }
  if (error instanceof TaskFailedError && error.reason === 'too-long') {
    return {
      message,
      countedTokens: 0,
      report: null,
      logLine: message,
      next: { kind: 'shrink', maxTokens: afterTooLong(error, tokens) },
    };
  }
  const sent = { message, countedTokens: tokens }; // the provider may have served the call
  if (error instanceof ProviderUnavailableError) {
    return {
      ...sent,
      report: { kind: 'failure', failure: { kind: 'unavailable', message } },
      logLine: `shard ${shard} does not answer: ${message}`,
      next: { kind: 'outage', error },
    };
  }
  if (error instanceof TaskFailedError && error.reason === 'malformed') {
    const report = { kind: 'failure' as const, failure: { kind: 'malformed' as const, message } };
    return { ...sent, report, logLine: null, next: { kind: 'malformed', error } };
  }
  return { ...sent, report: null, logLine: null, next: { kind: 'throw', error } };
}

function toQuota(error: RateLimitedError): QuotaInfo {
  if (error instanceof QuotaError) return error.quota;
  return { scope: 'minute', retryAfterMs: error.retryAfterMs, statedLimit: null };
}

function afterTooLong(error: TaskFailedError, tokens: number): number {
  return error instanceof PromptTooLongError ? error.limit * BELOW_LIMIT : tokens * SMALLER;
}

/** A stated limit of 0 means that the project may not use the model at all. */
function afterQuota({ scope, statedLimit }: QuotaInfo, tokens: number): NextStep {
  if (statedLimit === 0) return { kind: 'exclude', refusal: null };
  if (scope !== 'tokens') return { kind: 'next' };
  const maxTokens = statedLimit === null ? tokens * SMALLER : Math.min(statedLimit, tokens) * BELOW_LIMIT;
  return { kind: 'shrink', maxTokens };
}
