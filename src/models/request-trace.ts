import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** How far one HTTP request got, as the HTTP client reported it. */
export interface RequestTrace {
  /** Whether its headers were written to a connection: after that the provider may have served it. */
  sent: boolean;
  /** Status of the response; null while there is none. */
  status: number | null;
  /** Whether the whole response arrived. */
  complete: boolean;
}

/** What a caller learns of a request while it is under way. */
export interface RequestObserver {
  /** The whole request was written to its connection: from now on it is on its way. */
  sent(): void;
  /** The response begins: the provider has the request. */
  answered(): void;
}

const current = new AsyncLocalStorage<RequestTrace>();
const observed = new AsyncLocalStorage<RequestObserver>();
const traces = new WeakMap<object, RequestTrace>();
const observers = new WeakMap<object, RequestObserver>();
let listening = false;

/** Runs something that makes at most one request with `fetch`, and tells the observer of it. Other requests tell it nothing. */
export function observeRequest<Result>(observer: RequestObserver, run: () => Promise<Result>): Promise<Result> {
  listen();
  return observed.run(observer, run);
}

/**
 * Runs something that makes at most one request with `fetch`, and traces that request. The trace does not depend on the
 * error that an SDK throws. https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
 */
export async function traceRequest<Result>(
  run: () => Promise<Result>,
): Promise<{ trace: RequestTrace; result: Promise<Result> }> {
  listen();
  // `sent` until the HTTP client reports otherwise: without a report, the cost of a call is uncertain, not 0.
  const trace: RequestTrace = { sent: true, status: null, complete: false };
  const result = current.run(trace, async () => run());
  await result.catch(() => {}); // the caller handles the error
  return { trace, result };
}

/** Subscribes once a process, on first use. A message costs two map look-ups. */
function listen(): void {
  if (listening) return;
  listening = true;
  subscribe('undici:request:create', (message) => {
    const request = read(message, 'request');
    if (request === null) return;
    const observer = observed.getStore();
    if (observer !== undefined) observers.set(request, observer);
    const trace = current.getStore();
    if (trace === undefined) return;
    traces.set(request, trace);
    trace.sent = false;
  });
  subscribe('undici:client:sendHeaders', (message) => update(message, { sent: true }));
  subscribe('undici:request:bodySent', (message) => findObserver(message)?.sent());
  subscribe('undici:request:headers', (message) => {
    findObserver(message)?.answered();
    const response = read(message, 'response');
    const status = response !== null && 'statusCode' in response ? response.statusCode : null;
    if (typeof status === 'number') update(message, { status });
  });
  subscribe('undici:request:trailers', (message) => update(message, { complete: true }));
}

function update(message: unknown, change: Partial<RequestTrace>): void {
  const request = read(message, 'request');
  const trace = request === null ? undefined : traces.get(request);
  if (trace !== undefined) Object.assign(trace, change);
}

function findObserver(message: unknown): RequestObserver | undefined {
  const request = read(message, 'request');
  return request === null ? undefined : observers.get(request);
}

function read(message: unknown, key: 'request' | 'response'): object | null {
  if (typeof message !== 'object' || message === null) return null;
  const value: unknown = Reflect.get(message, key);
  return typeof value === 'object' && value !== null ? value : null;
}
