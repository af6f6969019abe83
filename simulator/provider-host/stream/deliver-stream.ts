import { deliverText } from '../deliver.ts';
import { type Exchange, wait } from '../exchange.ts';
import { TRANSPORT_FAULTS } from '../fault-schema.ts';
import { breakStream, type StreamFault, toBreakPoint } from './break-stream.ts';
import { type EventStream, toText } from './event-stream.ts';

const FIRST_PART = 0.3; // of the latency: until the first event
const MAX_FIRST_MS = 10_000; // a real reply begins within seconds, however long it takes
const MIN_GAP_MS = 200; // between two writes, so that many streams at once stay cheap
const PING_AFTER_MS = 10_000; // of silence
const TYPE = 'text/event-stream; charset=utf-8';

/**
 * Sends a reply in events, spread over its latency: the first after a part of it, the last at its end. A short latency takes
 * one write. What a client that left did not get is not booked. Resolves when all that will be sent is sent.
 */
export async function deliverStream(exchange: Exchange, stream: EventStream, fault: StreamFault | null): Promise<void> {
  const { frames, latencyMs, headers } = stream;
  const { res, gone, record } = exchange;
  if (fault !== null && TRANSPORT_FAULTS.some((kind) => kind === fault.kind)) {
    await wait(latencyMs, gone);
    stream.begin();
    stream.book(frames.at(-1)?.output ?? 0); // these faults bill the whole answer
    return deliverText(exchange, { type: TYPE, text: toText(frames) }, headers, fault);
  }
  const point = toBreakPoint(fault, frames);
  const { firstMs, gapMs, size } = toPace(frames.length, latencyMs);
  await wait(firstMs, gone);
  if (res.destroyed || gone.aborted) return;
  stream.begin();
  record.status = 200;
  res.writeHead(200, { ...exchange.headers, ...headers, 'content-type': TYPE, 'cache-control': 'no-cache' });
  for (let i = 0; i < point; i += size) {
    if (i > 0) await waitWithPings(exchange, stream.ping, gapMs);
    if (gone.aborted) return;
    const group = frames.slice(i, Math.min(i + size, point));
    stream.book(group.at(-1)?.output ?? 0);
    if (i + group.length === frames.length) res.end(toText(group)); // one write where the whole stream is one group
    else res.write(toText(group));
  }
  if (point === frames.length || fault === null) return;
  res.flushHeaders();
  await breakStream(exchange, stream, fault);
}

/** How many events go in one write, and the ms before the first and between two. */
function toPace(events: number, latencyMs: number): { firstMs: number; gapMs: number; size: number } {
  const first = Math.min(latencyMs * FIRST_PART, MAX_FIRST_MS);
  const writes = Math.min(events, Math.floor((latencyMs - first) / MIN_GAP_MS) + 1);
  const size = Math.ceil(events / writes);
  const gaps = Math.ceil(events / size) - 1;
  return gaps === 0
    ? { firstMs: latencyMs, gapMs: 0, size }
    : { firstMs: first, gapMs: (latencyMs - first) / gaps, size };
}

async function waitWithPings({ res, gone }: Exchange, ping: string | null, ms: number): Promise<void> {
  let left = ms;
  for (; left > PING_AFTER_MS && !gone.aborted; left -= PING_AFTER_MS) {
    await wait(PING_AFTER_MS, gone);
    if (ping !== null && !gone.aborted) res.write(ping);
  }
  await wait(left, gone);
}
