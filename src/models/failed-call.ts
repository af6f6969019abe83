import { type Billed, type BilledUsage, CallTimeoutError, FleetError } from '../errors.ts';
import { startOf } from '../text/start-of.ts';
import type { CallLimits } from './call-clock.ts';

/** What the errors of every API say of the call that failed. */
export interface FailedCall {
  model: string;
  /** Removes keys from a text: a proxy's error page may contain the request's headers. */
  redact: (text: string) => string;
  /** ms since 1970, for a `retry-after` date. */
  now: number;
  /** What a stream had reported of the call's usage before it broke. */
  reported?: BilledUsage | undefined;
  /** Whether a 200 came, so that the provider has taken the request. */
  isAnswered?: boolean;
}

export function withBilled<E extends FleetError>(error: E, billed: Billed): E {
  error.billed = billed;
  return error;
}

/** The caller's reason for the end of its call, with the call's cost. */
export function toReason(signal: AbortSignal, billed: Billed): unknown {
  const reason: unknown = signal.reason;
  return reason instanceof FleetError ? withBilled(reason, billed) : reason;
}

/** @param limitMs how long the limit was */
export function toTimeout(model: string, limit: keyof CallLimits, limitMs: number): CallTimeoutError {
  if (limit === 'idleMs')
    return new CallTimeoutError(model, 'idle', `${model}: nothing arrived for ${limitMs} ms`, { silentMs: limitMs });
  return new CallTimeoutError(model, 'total', `${model}: no complete reply within ${limitMs} ms`);
}

/** One line of at most 500 characters, without keys: an HTML page is cut. */
export function toRedactedLine(text: string, redact: (text: string) => string): string {
  return startOf(redact(text).replaceAll(/\s+/g, ' ').trim(), 500);
}

/**
 * Name, message and stack of what was thrown, without the request, headers and body that it may hold, and with them a key or a prompt.
 * @param words its message, redacted
 */
export function toCause(thrown: unknown, words: string, redact: (text: string) => string): Error {
  const cause = new Error(words);
  if (thrown instanceof Error) {
    cause.name = thrown.name;
    const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    cause.stack = [`${cause.name}: ${cause.message}`, ...frames.map(redact)].join('\n');
  }
  return cause;
}
