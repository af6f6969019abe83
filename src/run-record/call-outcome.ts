import {
  AccountRefusedError,
  CallTimeoutError,
  CancelledError,
  LockLostError,
  ProviderUnavailableError,
  RateLimitedError,
  ShutdownError,
  TaskFailedError,
} from '../errors.ts';

/** What becomes of a call that is not booked. `rate_limited`: a 429; `refused`: the provider refuses the request; `ended`: its run ended first. */
export type CallOutcome =
  | 'rate_limited'
  | 'timeout'
  | 'unavailable'
  | 'account_refused'
  | 'refused'
  | 'ended'
  | 'error';

/** The first class that fits decides. */
const OUTCOMES: readonly (readonly [abstract new (...args: never[]) => Error, CallOutcome])[] = [
  [RateLimitedError, 'rate_limited'],
  [CallTimeoutError, 'timeout'],
  [ProviderUnavailableError, 'unavailable'],
  [AccountRefusedError, 'account_refused'],
  [ShutdownError, 'ended'],
  [CancelledError, 'ended'],
  [LockLostError, 'ended'],
  [TaskFailedError, 'refused'],
];

/** The outcome of a call that threw this. Programs count by it: the words stay. */
export function toCallOutcome(error: unknown): CallOutcome {
  return OUTCOMES.find(([type]) => error instanceof type)?.[1] ?? 'error';
}
