import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import {
  AccountRefusedError,
  type Billed,
  type FleetError,
  ProviderUnavailableError,
  RateLimitedError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { NotSentError } from '../connection-failure.ts';
import { toRetryAfterMs } from '../retry-after.ts';

/**
 * Refusals of the account that have the status of a bad request or a rate limit. Waiting does not end them.
 * https://platform.claude.com/docs/en/api/errors
 */
const ACCOUNT_CODES = new Set([
  'organization_on_hold',
  'cmek_key_disabled',
  'contract_spend_limit_reached',
  'enforced_spend_limit_reached',
  'linked_organization_spend_limit_reached',
]);
/** The same, where the API sends no code: a limit that the owner set (400), credit used up (400). */
const ACCOUNT_WORDS = /reached your specified .*usage limits|credit balance is too low/i;

export interface FailedCall {
  model: string;
  /** Removes keys from a text: a proxy's error page may contain the request's headers. */
  redact: (text: string) => string;
  /** ms since 1970, for a `retry-after` date. */
  now: number;
}

/** The fleet's error for what the SDK threw, with `billed` and without anything of the request. HTTP status is read here only. */
export function toFleetError(thrown: unknown, call: FailedCall): FleetError {
  const words = toWords(thrown, call.redact);
  const options = { cause: toCause(thrown, call.redact) };
  const status = thrown instanceof APIError ? thrown.status : undefined;
  if (thrown instanceof APIError && status !== undefined) {
    return withBilled(toStatusError(thrown, status, words, call, options), 'no'); // an error response is not billed
  }
  const code = findNotSentCode(thrown);
  const sent = code === undefined;
  const what = sent ? `sent, but no readable reply came back (${words})` : `no connection (${code})`;
  const error = new ProviderUnavailableError(call.model, sent, `${call.model}: ${what}`, options);
  return withBilled(error, sent ? 'unknown' : 'no');
}

export function withBilled<E extends FleetError>(error: E, billed: Billed): E {
  error.billed = billed;
  return error;
}

function toStatusError(
  thrown: APIError,
  status: number,
  words: string,
  { model, now }: FailedCall,
  options: ErrorOptions,
): FleetError {
  const text = `${model}: ${words}`;
  if ([401, 402, 403].includes(status) || isAboutAccount(thrown)) return new AccountRefusedError(text, options);
  if (status === 429) return new RateLimitedError(model, toRetryAfterMs(thrown.headers, now), text, options);
  if ([400, 413, 422, 431].includes(status)) return new TaskFailedError('model', text, options);
  // A 404 of the API is about the model. A 404 of a web server is a wrong address: the jobs wait.
  if (status === 404 && thrown.type === 'not_found_error') return new TaskFailedError('model', text, options);
  return new ProviderUnavailableError(model, false, text, options);
}

function isAboutAccount(thrown: APIError): boolean {
  if (thrown.status !== 400 && thrown.status !== 429) return false;
  const coded = thrown.errorCode !== null && ACCOUNT_CODES.has(thrown.errorCode);
  return coded || thrown.type === 'billing_error' || ACCOUNT_WORDS.test(thrown.apiMessage ?? '');
}

/** Status, kind and the provider's message in one line of at most 500 characters: an HTML page is cut. */
function toWords(thrown: unknown, redact: (text: string) => string): string {
  const known = thrown instanceof APIError && thrown.status !== undefined && thrown.apiMessage !== null;
  const text = known
    ? `${thrown.status} ${thrown.type ?? 'error'}: ${thrown.apiMessage}`
    : [toMessage(thrown), thrown instanceof Error && thrown.cause !== undefined ? toMessage(thrown.cause) : '']
        .filter(Boolean)
        .join(': ');
  const line = redact(text).replaceAll(/\s+/g, ' ').trim().slice(0, 500);
  const requestId = thrown instanceof APIError ? thrown.requestID : undefined;
  return requestId ? `${line} (request ${redact(requestId)})` : line;
}

/** Name, message and stack, without the SDK's request, headers and body, which may contain a key or a prompt. */
function toCause(thrown: unknown, redact: (text: string) => string): Error {
  const cause = new Error(toWords(thrown, redact));
  if (thrown instanceof Error) {
    cause.name = thrown.name;
    const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    cause.stack = [`${cause.name}: ${cause.message}`, ...frames.map(redact)].join('\n');
  }
  return cause;
}

function findNotSentCode(thrown: unknown): string | undefined {
  if (thrown instanceof APIConnectionError && thrown.cause instanceof NotSentError) return thrown.cause.code;
  return undefined;
}
