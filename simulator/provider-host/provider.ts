import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerControl } from './control.ts';
import { type Exchange, sendJson } from './exchange.ts';
import type { Answer } from './http-host.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';

/** Control requests have this prefix. They are not in the provider's log. */
const CONTROL_PREFIX = '/__simulator/';

const HOST = 'http://simulator'; // never contacted: only the path and query of a URL are read

/** An error as the provider sends it. */
export interface ErrorAnswer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

/** What one simulated provider adds to the shared handling of a request. */
export interface Provider<Own extends object> {
  log: RequestLog<Own>;
  /** Ms since the epoch. */
  now: () => number;
  /** A prefix that the paths of this provider may have, such as `/anthropic`. */
  prefix?: string;
  /** Headers of every answer. */
  toHeaders: (record: LoggedRequest & Own) => Record<string, string>;
  control: AnswerControl;
  /** Answers a request that is not a control request. What it throws becomes an error answer. */
  route: (exchange: Exchange<LoggedRequest & Own>, url: URL) => Promise<void>;
  toErrorAnswer: (thrown: unknown, record: LoggedRequest & Own) => ErrorAnswer;
}

/** Handles each request alike for every provider: log record, client that leaves, control, route, error. */
export function createAnswer<Own extends object>(provider: Provider<Own>): Answer {
  return async (req, res, closing) => {
    const url = toUrl(req, provider.prefix);
    const isControl = url.pathname.startsWith(CONTROL_PREFIX);
    const exchange = openExchange(provider, req, res, closing, { url, isControl });
    try {
      if (isControl && (await provider.control(exchange, url))) return;
      await provider.route(exchange, url);
    } catch (thrown) {
      if (res.headersSent || res.destroyed) return;
      const { status, body, headers } = provider.toErrorAnswer(thrown, exchange.record);
      sendJson(exchange, status, body, headers);
    }
  };
}

function toUrl({ url: path = '/' }: IncomingMessage, prefix: string | undefined): URL {
  const isPrefixed = prefix !== undefined && path.startsWith(`${prefix}/`);
  const own = isPrefixed ? path.slice(prefix.length) : path;
  return new URL(URL.canParse(own, HOST) ? own : '/', HOST);
}

function openExchange<Own extends object>(
  { log, now, toHeaders }: Provider<Own>,
  req: IncomingMessage,
  res: ServerResponse,
  closing: AbortSignal,
  { url, isControl }: { url: URL; isControl: boolean },
): Exchange<LoggedRequest & Own> {
  const endpoint = `${req.method} ${url.pathname}`;
  const record = isControl ? log.openUnkept(endpoint, now()) : log.open(endpoint, now());
  const closed = new AbortController();
  res.on('close', () => {
    const isReset = record.fault?.startsWith('reset-') === true; // then the provider closed it
    record.clientGone = !res.writableFinished && !isReset;
    log.finish(record, now());
    closed.abort();
  });
  return { req, res, record, gone: AbortSignal.any([closed.signal, closing]), headers: toHeaders(record) };
}
