import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** How far one HTTP request got, as the HTTP client itself saw it. */
export interface Wire {
  /** Whether its headers were written to a connection: from then on the provider may have served it. */
  sent: boolean;
  /** Of the answer; null while there is none. */
  status: number | null;
  /** Whether the answer arrived whole. */
  complete: boolean;
}

const current = new AsyncLocalStorage<Wire>();
const wires = new WeakMap<object, Wire>();
let listening = false;

/**
 * Runs something that makes at most one request with `fetch`, and tells how far that request got, also when an SDK has
 * dropped the cause of its failure. https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
 */
export async function onWire<Result>(run: () => Promise<Result>): Promise<{ wire: Wire; result: Promise<Result> }> {
  listen();
  // Taken for sent until the HTTP client says otherwise: the cost of a call must never be denied for want of a sign.
  const wire: Wire = { sent: true, status: null, complete: false };
  const result = current.run(wire, async () => run());
  await result.catch(() => {}); // the caller looks at it
  return { wire, result };
}

/** Once a process, when it is first needed; a message costs two map look-ups. */
function listen(): void {
  if (listening) return;
  listening = true;
  subscribe('undici:request:create', (message) => {
    const wire = current.getStore();
    const request = read(message, 'request');
    if (wire === undefined || request === null) return;
    wires.set(request, wire);
    wire.sent = false;
  });
  subscribe('undici:client:sendHeaders', (message) => update(message, { sent: true }));
  subscribe('undici:request:headers', (message) => {
    const response = read(message, 'response');
    const status = response !== null && 'statusCode' in response ? response.statusCode : null;
    if (typeof status === 'number') update(message, { status });
  });
  subscribe('undici:request:trailers', (message) => update(message, { complete: true }));
}

function update(message: unknown, change: Partial<Wire>): void {
  const request = read(message, 'request');
  const wire = request === null ? undefined : wires.get(request);
  if (wire !== undefined) Object.assign(wire, change);
}

function read(message: unknown, key: 'request' | 'response'): object | null {
  if (typeof message !== 'object' || message === null) return null;
  const value: unknown = Reflect.get(message, key);
  return typeof value === 'object' && value !== null ? value : null;
}
