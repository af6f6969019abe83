import {
  AccountRefusedError,
  type Billed,
  type FleetError,
  PromptTooLongError,
  ProviderUnavailableError,
  QuotaError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { type FailedCall, toCause, toRedactedLine, withBilled } from '../failed-call.ts';
import { namesQuota, readQuota } from './quota.ts';
import type { RequestTrace } from '../request-trace.ts';

/** An error response of the provider, the same for both SDKs. */
export interface ErrorAnswer {
  status: number;
  /** `error.status` of the body, such as `FAILED_PRECONDITION`; null where the SDK drops it or the body is not the API's. */
  statusName: string | null;
  /** `error.message` of the body, else the body's text. */
  words: string;
  /** `error.details` of the body. */
  details: readonly unknown[];
  /** Whether the body was an error of the API, and no page of a web server. */
  fromApi: boolean;
}

/** A key or an account that the provider does not serve, sent as a bad request. */
const KEY_WORDS =
  /api key (not valid|expired|not found)|API_KEY_INVALID|billing account|User location is not supported/i;
/** An account without money, sent as a rate limit. Waiting does not change it. */
const MONEY_WORDS = /credits are depleted|prepay(ment)? credits|spend(ing)? (cap|limit)/i;

/** A limit of what a paid project spends in ten minutes: waiting ends it. https://ai.google.dev/gemini-api/docs/rate-limits */
const RATE_WORDS = /\brate\b|minute/i;

/** A prompt above the model's window, and the two counts. https://github.com/google-gemini/gemini-cli/issues/6678 */
const TOO_LONG_WORDS = /input token count \(?(\d+)\)? exceeds the maximum number of tokens allowed \(?(\d+)\)?/i;
/** A body above 20 MiB, which is a prompt that is too long as well. */
const TOO_LARGE_WORDS = /payload size exceeds the limit|input token count.*exceeds/i;

/**
 * The fleet's error for an error response, which is not billed, or for an error inside a stream, which leaves what the stream
 * had begun. HTTP status is read here only.
 */
export function toGeminiStatusError(answer: ErrorAnswer, thrown: unknown, call: FailedCall): FleetError {
  const { model, redact, isAnswered = false } = call;
  const words = toRedactedLine(answer.words, redact) || 'no words';
  const text = `${model}: ${answer.status}${answer.statusName === null ? '' : ` ${answer.statusName}`}: ${words}`;
  const error = choose(answer, text, call, {
    cause: toCause(thrown, toRedactedLine(toMessage(thrown), redact), redact),
  });
  return withBilled(error, isAnswered ? toBilled(call) : 'no');
}

/** What a call that the provider began may cost. */
export function toBilled({ reported }: Pick<FailedCall, 'reported'>): Billed {
  return reported === undefined ? 'unknown' : { reported };
}

function choose(answer: ErrorAnswer, text: string, call: FailedCall, options: ErrorOptions): FleetError {
  const { status, words, details } = answer;
  const { model, isAnswered = false } = call;
  if (status === 401 || status === 403) return new AccountRefusedError(text, options);
  if (status === 429) {
    const isAboutMoney = MONEY_WORDS.test(words) && !RATE_WORDS.test(words);
    if (!namesQuota(details) && isAboutMoney) return new AccountRefusedError(text, options);
    return new QuotaError(model, readQuota(details, words), text, options);
  }
  if (status === 400) {
    const aboutKey =
      answer.statusName === 'FAILED_PRECONDITION' || KEY_WORDS.test(`${words} ${JSON.stringify(details)}`);
    return aboutKey ? new AccountRefusedError(text, options) : toRequestError(words, text, options);
  }
  // A 404 of the API is about the model. A 404 of a web server is a wrong address: the jobs wait.
  if (status === 404 && answer.fromApi) return new TaskFailedError('model', text, options);
  if (status === 413) return new TaskFailedError('too-long', text, options);
  if (status === 422 || status === 431) return new TaskFailedError('request', text, options);
  return new ProviderUnavailableError(model, isAnswered, text, options);
}

/** The error for a request that the provider calls invalid. */
function toRequestError(words: string, text: string, options: ErrorOptions): TaskFailedError {
  const [, tokens, limit] = TOO_LONG_WORDS.exec(words) ?? [];
  if (tokens !== undefined && limit !== undefined) {
    return new PromptTooLongError(Number(tokens), Number(limit), text, options);
  }
  return new TaskFailedError(TOO_LARGE_WORDS.test(words) ? 'too-long' : 'request', text, options);
}

/**
 * The fleet's error without an error response: no connection, a connection that broke, or a 200 that is no JSON.
 * @param chunks of the stream that arrived before
 */
export function toGeminiConnectionError(
  thrown: unknown,
  { trace, chunks }: { trace: RequestTrace; chunks: number },
  call: FailedCall,
): FleetError {
  const { model, redact } = call;
  const words = toRedactedLine(toWords(thrown), redact);
  const options = { cause: toCause(thrown, toRedactedLine(toMessage(thrown), redact), redact) };
  if (trace.complete && trace.status === 200 && chunks === 0) {
    return withBilled(new TaskFailedError('malformed', `${model}: the reply is no JSON: ${words}`, options), 'unknown');
  }
  const what = trace.sent ? `sent, but no readable reply came back (${words})` : `no connection (${words})`;
  const error = new ProviderUnavailableError(model, trace.sent, `${model}: ${what}`, options);
  return withBilled(error, trace.sent ? toBilled(call) : 'no');
}

/** The SDK's message and its causes, without the address: the model's name is enough. */
function toWords(thrown: unknown): string {
  const words = [toMessage(thrown).replace(/^.*Error fetching from \S+: /s, '')];
  let cause = thrown instanceof Error ? thrown.cause : undefined;
  while (cause instanceof Error && words.length < 4) {
    words.push('code' in cause && typeof cause.code === 'string' ? cause.code : cause.message);
    cause = cause.cause;
  }
  return words.join(': ');
}
