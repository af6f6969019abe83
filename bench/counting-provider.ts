import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider that only counts calls, by its own clock, and refuses those above a limit as Gemini does. */
export interface CountingProvider {
  url: string;
  /** Shard → the instants (`performance.now()`) at which its accepted calls arrived, oldest first. */
  starts: Map<number, number[]>;
  /** Process id of a caller → its accepted calls. */
  callers: Map<number, number>;
  /** Returns the count of refused calls. */
  refused(): number;
  /** Returns the most calls of any shard that arrived in any window, refused ones included. */
  mostInAnyWindow(): number;
  close(): Promise<void>;
}

export interface CountingLimits {
  /** Calls in any window, per shard. */
  perWindow: number;
  windowMs: number;
  /** Time from a call to its reply. */
  latencyMs: number;
}

/** Starts the provider. `POST /shard/N` is one call: 200, or 429. Any other request is answered and not counted. */
export async function startCountingProvider({
  perWindow,
  windowMs,
  latencyMs,
}: CountingLimits): Promise<CountingProvider> {
  const starts = new Map<number, number[]>();
  const arrivals = new Map<number, number[]>(); // with refused calls
  const callers = new Map<number, number>();
  let refusedCount = 0;
  const server = createServer((request, response) => {
    const arrivedAt = performance.now();
    const shard = Number(/^\/shard\/(\d+)$/.exec(request.url ?? '')?.[1]);
    request.resume();
    if (Number.isNaN(shard)) {
      response.end();
      return;
    }
    const own = takeList(starts, shard);
    takeList(arrivals, shard).push(arrivedAt);
    const oldest = own[own.length - perWindow];
    if (oldest !== undefined && arrivedAt - oldest < windowMs) {
      refusedCount += 1;
      response.writeHead(429).end();
      return;
    }
    own.push(arrivedAt);
    const caller = Number(request.headers['x-pid']);
    callers.set(caller, (callers.get(caller) ?? 0) + 1);
    setTimeout(() => response.end('ok'), latencyMs);
  });
  server.keepAliveTimeout = 120_000; // a new connection would delay a call
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    starts,
    callers,
    refused: () => refusedCount,
    mostInAnyWindow: () => Math.max(0, ...[...arrivals.values()].map((own) => mostIn(own, windowMs))),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function takeList(lists: Map<number, number[]>, shard: number): number[] {
  const list = lists.get(shard) ?? [];
  lists.set(shard, list);
  return list;
}

function mostIn(starts: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  starts.forEach((startedAt, i) => {
    while (startedAt - (starts[from] ?? startedAt) >= windowMs) from += 1;
    most = Math.max(most, i - from + 1);
  });
  return most;
}
