import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import {
  AccountRefusedError,
  BoundThinkingError,
  FleetError,
  ProviderUnavailableError,
  RateLimitedError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { NotSentError } from '../connection-failure.ts';
import { toRefusalKind } from './refusal.ts';
import { toRetryAfterMs } from '../retry-after.ts';
import { type FailedCall, toCause, toRedactedLine, withBilled } from '../failed-call.ts';

/** The status that an error of the stream would have as a response. https://platform.claude.com/docs/en/api/errors */
const STATUS_BY_TYPE: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The SDK's error for an `error` event of a stream. @param event `{ type: 'error', error: { type, message } }` */
export function toEventError(event: object, headers: Headers): APIError {
  const error: unknown = Reflect.get(event, 'error');
  const type: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'type') : undefined;
  return APIError.generate(STATUS_BY_TYPE[String(type)] ?? 500, event, undefined, headers);
}

/** The fleet's error for what the SDK threw, with `billed` and without anything of the request. HTTP status is read here only. */
export function toFleetError(thrown: unknown, call: FailedCall): FleetError {
  const { model, redact, reported, isAnswered = false } = call;
  const words = toWords(thrown, redact);
  const options = { cause: toCause(thrown, words, redact) };
  const status = thrown instanceof APIError ? thrown.status : undefined;
  if (thrown instanceof APIError && status !== undefined) {
    // An error response is not billed. One inside a stream leaves what the stream had begun.
    return withBilled(
      toStatusError(thrown, status, words, call, options),
      reported === undefined ? 'no' : { reported },
    );
  }
  if (!isAnswered && !(thrown instanceof APIError)) {
    // The SDK wraps what happens once it sends: this request was never made.
    return withBilled(new FleetError(`${model}: the request could not be made (${words})`, options), 'no');
  }
  const code = findNotSentCode(thrown);
  const sent = code === undefined;
  const what = sent ? `sent, but no readable reply came back (${words})` : `no connection (${code})`;
  const error = new ProviderUnavailableError(model, sent, `${model}: ${what}`, options);
  if (!sent) return withBilled(error, 'no');
  return withBilled(error, reported === undefined ? 'unknown' : { reported });
}

function toStatusError(
  thrown: APIError,
  status: number,
  words: string,
  { model, now, reported }: FailedCall,
  options: ErrorOptions,
): FleetError {
  const text = `${model}: ${words}`;
  const { type, errorCode, apiMessage, headers } = thrown;
  switch (toRefusalKind({ status, type, code: errorCode, message: apiMessage ?? '' })) {
    case 'account':
      return new AccountRefusedError(text, options);
    case 'rate':
      return new RateLimitedError(model, toRetryAfterMs(headers, now), text, options);
    case 'thinking':
      return new BoundThinkingError(text, options);
    case 'length':
      return new TaskFailedError('too-long', text, options);
    case 'request':
      return new TaskFailedError('request', text, options);
    case 'model':
      return new TaskFailedError('model', text, options);
    case 'unavailable':
      return new ProviderUnavailableError(model, reported !== undefined, text, options);
  }
}

/** Status, kind and the provider's message in one line of at most 500 characters: an HTML page is cut. */
function toWords(thrown: unknown, redact: (text: string) => string): string {
  const known = thrown instanceof APIError && thrown.status !== undefined && thrown.apiMessage !== null;
  const text = known
    ? `${thrown.status} ${thrown.type ?? 'error'}: ${thrown.apiMessage}`
    : [toMessage(thrown), thrown instanceof Error && thrown.cause !== undefined ? toMessage(thrown.cause) : '']
        .filter(Boolean)
        .join(': ');
  const line = toRedactedLine(text, redact);
  const requestId = thrown instanceof APIError ? thrown.requestID : undefined;
  return requestId ? `${line} (request ${redact(requestId)})` : line;
}

function findNotSentCode(thrown: unknown): string | undefined {
  if (thrown instanceof APIConnectionError && thrown.cause instanceof NotSentError) return thrown.cause.code;
  return undefined;
}
