import {
  AccountRefusedError,
  type Billed,
  type FleetError,
  ProviderUnavailableError,
  RateLimitedError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { type FailedCall, toCause, toRedactedLine, withBilled } from '../failed-call.ts';
import { NotSentError } from '../connection-failure.ts';
import { toRetryAfterMs } from '../retry-after.ts';
import { toSpanMs } from './limits.ts';
import { type ChatRefusal, toRefusalKind } from './refusal.ts';
import { type ChatParams, SPARE_FIELDS, type SpareField } from './request.ts';

/** An error that the API answered with. */
export class ChatApiError extends Error {
  override name = 'ChatApiError';
  constructor(
    readonly refusal: ChatRefusal,
    readonly headers: Headers,
    /** Whether it came inside of a stream that had begun: what the call costs is then not known. */
    readonly isInStream: boolean,
  ) {
    super(refusal.message);
  }
}

/** Reads the body of an error: each vendor wraps it in its own way. @param body parsed, or the text that it was */
export function toApiError(status: number, body: unknown, headers: Headers, isInStream = false): ChatApiError {
  const outer = toObject(body);
  const inner = typeof outer['error'] === 'string' ? { message: outer['error'] } : toObject(outer['error'] ?? outer);
  const { message = inner['detail'] } = inner;
  const raw = toObject(inner['metadata'])['raw']; // OpenRouter: what the provider behind it said
  const words = [typeof body === 'string' ? body : toText(message ?? body), toText(raw)].filter((text) => text !== '');
  const named = toHttpStatus(inner);
  const refusal = {
    status: isInStream || status < 400 ? named : status,
    type: toText(inner['type']),
    code: toText(inner['code']),
    param: toText(inner['param']),
    message: words.join(': '),
  };
  return new ChatApiError(refusal, headers, isInStream);
}

/** The status that an error of a stream would have as a response. */
function toHttpStatus({ code, status, type }: Record<string, unknown>): number {
  const named = Number(code ?? status);
  if (Number.isInteger(named) && named >= 400 && named <= 599) return named;
  const words = `${toText(code)} ${toText(type)}`;
  if (/rate_limit|insufficient_quota/.test(words)) return 429;
  return /invalid_request|context_length/.test(words) ? 400 : 500;
}

/** The fleet's error for what was thrown, with `billed` and without anything of the request. */
export function toFleetError(thrown: unknown, call: FailedCall): FleetError {
  const { model, redact } = call;
  const words = toWords(thrown, redact);
  const options = { cause: toCause(thrown, words, redact) };
  if (thrown instanceof ChatApiError) {
    const billed: Billed = thrown.isInStream ? 'unknown' : 'no'; // an error response is not billed
    return withBilled(toRefusedError(thrown, call, options), billed);
  }
  const sent = !(thrown instanceof NotSentError);
  const what = sent ? `sent, but no readable reply came back (${words})` : `no connection (${thrown.code})`;
  const error = new ProviderUnavailableError(model, sent, `${model}: ${what}`, options);
  return withBilled(error, sent ? 'unknown' : 'no');
}

/**
 * The field that a server refused because it does not know it, or not this value of it; null: the refusal is about something
 * else. Only one that the request has and can do without.
 */
export function findRefusedField({ refusal }: ChatApiError, params: ChatParams): SpareField | null {
  const { status, param, message } = refusal;
  if (status !== 400 && status !== 422) return null;
  const sent = SPARE_FIELDS.filter((field) => params[field] !== undefined);
  const named = sent.find((field) => param === field || param.startsWith(`${field}.`));
  if (named !== undefined) return toRefusalKind(refusal) === 'request' ? named : null;
  const isUnknown =
    /unknown|unrecogni[sz]ed|unsupported|not supported|extra[_ ](?:forbidden|inputs)|not permitted|unavailable|invalid schema/i;
  if (!isUnknown.test(message)) return null;
  return sent.find((field) => new RegExp(`(?<![\\w.])${field}(?!\\w)`).test(message)) ?? null;
}

function toRefusedError(thrown: ChatApiError, { model, redact, now }: FailedCall, options: ErrorOptions): FleetError {
  const text = `${model}: ${toWords(thrown, redact)}`;
  switch (toRefusalKind(thrown.refusal)) {
    case 'account':
      return new AccountRefusedError(text, options);
    case 'rate':
      return new RateLimitedError(model, toWaitMs(thrown, now), text, options);
    case 'length':
      return new TaskFailedError('too-long', text, options);
    case 'refusal':
      return new TaskFailedError('refusal', text, options);
    case 'request':
      return new TaskFailedError('request', text, options);
    case 'model':
      return new TaskFailedError('model', text, options);
    case 'unavailable':
      return new ProviderUnavailableError(model, thrown.isInStream, text, options);
  }
}

/** The wait that the headers name, else the one in the message: "Please try again in 1.2s." */
function toWaitMs({ headers, refusal }: ChatApiError, now: number): number {
  const stated = toRetryAfterMs(headers, now);
  if (stated > 0) return stated;
  const named = /\btry again in ((?:\d+(?:\.\d+)?(?:ms|[dhms]))+)/i.exec(refusal.message)?.[1];
  return Math.min(3_600_000, named === undefined ? 0 : (toSpanMs(named) ?? 0));
}

/** Status, code and the provider's message in one line of at most 500 characters: an HTML page is cut. */
function toWords(thrown: unknown, redact: (text: string) => string): string {
  const text =
    thrown instanceof ChatApiError
      ? `${thrown.refusal.status} ${thrown.refusal.code || thrown.refusal.type || 'error'}: ${thrown.message}`
      : [toMessage(thrown), thrown instanceof Error && thrown.cause !== undefined ? toMessage(thrown.cause) : '']
          .filter(Boolean)
          .join(': ');
  const line = toRedactedLine(text, redact);
  const requestId = thrown instanceof ChatApiError ? thrown.headers.get('x-request-id') : null;
  return requestId === null ? line : `${line} (request ${redact(requestId)})`;
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
