import {
  AccountRefusedError,
  type FleetError,
  ProviderUnavailableError,
  QuotaError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { type FailedCall, withBilled } from '../anthropic/errors.ts';
import { namesQuota, readQuota } from './quota.ts';
import type { Wire } from '../http-trace.ts';

/** An error answer of the provider, whichever SDK brought it. */
export interface ErrorAnswer {
  status: number;
  /** `error.status` of the body, such as `FAILED_PRECONDITION`; null where the SDK drops it or the body is not the API's. */
  statusName: string | null;
  /** `error.message` of the body, else whatever came instead. */
  words: string;
  /** `error.details` of the body. */
  details: readonly unknown[];
  /** Whether the body was an error of the API and not, say, a web server's page. */
  fromApi: boolean;
}

/** A key or an account the provider does not serve, told as a bad request. */
const KEY_WORDS =
  /api key (not valid|expired|not found)|API_KEY_INVALID|billing account|User location is not supported/i;
/** An account without money, told as a rate limit. Waiting does not fill it. */
const MONEY_WORDS = /credits are depleted|prepay(ment)? credits|spend(ing)? (cap|limit)/i;

/** The fleet's error for an error answer: nothing of it is billed. HTTP status is read here only. */
export function toGeminiStatusError(answer: ErrorAnswer, thrown: unknown, { model, redact }: FailedCall): FleetError {
  const words = toLine(answer.words, redact) || 'no words';
  const text = `${model}: ${answer.status}${answer.statusName === null ? '' : ` ${answer.statusName}`}: ${words}`;
  return withBilled(choose(answer, model, text, { cause: toCause(thrown, redact) }), 'no');
}

function choose(answer: ErrorAnswer, model: string, text: string, options: ErrorOptions): FleetError {
  const { status, words, details } = answer;
  if (status === 401 || status === 403) return new AccountRefusedError(text, options);
  if (status === 429) {
    if (!namesQuota(details) && MONEY_WORDS.test(words)) return new AccountRefusedError(text, options);
    return new QuotaError(model, readQuota(details, words), text, options);
  }
  if (status === 400) {
    const aboutKey =
      answer.statusName === 'FAILED_PRECONDITION' || KEY_WORDS.test(`${words} ${JSON.stringify(details)}`);
    return aboutKey ? new AccountRefusedError(text, options) : new TaskFailedError('model', text, options);
  }
  // A 404 in the API's own words is about the model. One in a web server's words is a wrong address: the jobs wait.
  if (status === 404 && answer.fromApi) return new TaskFailedError('model', text, options);
  if ([413, 422, 431].includes(status)) return new TaskFailedError('model', text, options);
  return new ProviderUnavailableError(model, false, text, options);
}

/** The fleet's error where no error answer came: no connection, one that broke, or a 200 that nobody can read. */
export function toGeminiWireError(thrown: unknown, wire: Wire, { model, redact }: FailedCall): FleetError {
  const words = toLine(toWords(thrown), redact);
  const options = { cause: toCause(thrown, redact) };
  if (wire.complete && wire.status === 200) {
    return withBilled(new TaskFailedError('malformed', `${model}: the reply is no JSON: ${words}`, options), 'unknown');
  }
  const what = wire.sent ? `sent, but no readable reply came back (${words})` : `no connection (${words})`;
  const error = new ProviderUnavailableError(model, wire.sent, `${model}: ${what}`, options);
  return withBilled(error, wire.sent ? 'unknown' : 'no');
}

/** The SDK's words and the causes it kept; without the address, which says nothing the model's name does not. */
function toWords(thrown: unknown): string {
  const words = [toMessage(thrown).replace(/^.*Error fetching from \S+: /s, '')];
  let cause = thrown instanceof Error ? thrown.cause : undefined;
  while (cause instanceof Error && words.length < 4) {
    words.push('code' in cause && typeof cause.code === 'string' ? cause.code : cause.message);
    cause = cause.cause;
  }
  return words.join(': ');
}

/** One line of at most 500 characters: an HTML page is cut short. */
function toLine(text: string, redact: (text: string) => string): string {
  return redact(text).replaceAll(/\s+/g, ' ').trim().slice(0, 500);
}

/** Name, text and stack without the SDK's request and response, any of which may hold a key or a prompt. */
function toCause(thrown: unknown, redact: (text: string) => string): Error {
  const cause = new Error(toLine(toMessage(thrown), redact));
  if (thrown instanceof Error) {
    cause.name = thrown.name;
    const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    cause.stack = [`${cause.name}: ${cause.message}`, ...frames.map(redact)].join('\n');
  }
  return cause;
}
