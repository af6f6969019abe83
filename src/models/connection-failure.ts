import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/**
 * How far an HTTP request got: the cost of a failed call is uncertain only if its request was sent. The SDKs lose this in
 * different ways, so each has its own: one takes a `fetch` that throws `NotSentError`, the others only a trace.
 */

/** Codes of a connection that was never made: no byte of the request was sent. */
const NOT_SENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * A request that certainly never reached the provider. The message does not contain the code: the SDK treats an error whose
 * message has "timeout" or "ETIMEDOUT" as a timeout, and drops it.
 */
export class NotSentError extends Error {
  override name = 'NotSentError';
  constructor(
    /** The system's error code, such as `ECONNREFUSED`. */
    readonly code: string,
  ) {
    super('no connection');
  }
}

/**
 * `fetch` with an error of its own for a connection that was never made.
 * @throws NotSentError where the connection was never made; else what `fetch` throws
 */
export async function fetchOrNotSent(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (error) {
    const code = findNotSentCode(error);
    if (code !== undefined) throw new NotSentError(code);
    throw error;
  }
}

/** Looks down the chain of causes: undici wraps the system's error once. */
function findNotSentCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') {
    const connecting = 'syscall' in error && error.syscall === 'connect';
    if (connecting || NOT_SENT_CODES.has(error.code)) return error.code;
  }
  return findNotSentCode(error.cause);
}

/** How far one HTTP request got, as the HTTP client reported it. */
export interface RequestTrace {
  /** Whether its headers were written to a connection: after that the provider may have served it. */
  sent: boolean;
  /** Status of the response; null while there is none. */
  status: number | null;
  /** Whether the whole response arrived. */
  complete: boolean;
}

const current = new AsyncLocalStorage<RequestTrace>();
const traces = new WeakMap<object, RequestTrace>();
let listening = false;

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
    const trace = current.getStore();
    const request = read(message, 'request');
    if (trace === undefined || request === null) return;
    traces.set(request, trace);
    trace.sent = false;
  });
  subscribe('undici:client:sendHeaders', (message) => update(message, { sent: true }));
  subscribe('undici:request:headers', (message) => {
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

function read(message: unknown, key: 'request' | 'response'): object | null {
  if (typeof message !== 'object' || message === null) return null;
  const value: unknown = Reflect.get(message, key);
  return typeof value === 'object' && value !== null ? value : null;
}
