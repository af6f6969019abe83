import { type Exchange, untilGone, wait } from '../exchange.ts';
import { STREAM_FAULTS } from '../fault-schema.ts';
import type { EventStream, StreamFrame } from './event-stream.ts';

/** A fault as far as it changes how a stream arrives. Other kinds change nothing here. */
export interface StreamFault {
  kind: string;
  delayMs: number;
  afterEvents?: number | undefined;
  afterCharacters?: number | undefined;
}

/**
 * The number of events that are sent: all of them, or those before the fault's point, which is the middle unless the fault
 * names one. No fault lets all events through.
 */
export function toBreakPoint(fault: StreamFault | null, frames: readonly StreamFrame[]): number {
  const kinds: readonly string[] = STREAM_FAULTS;
  if (fault === null || !kinds.includes(fault.kind)) return frames.length;
  const { afterEvents, afterCharacters } = fault;
  const most = frames.length - 1;
  if (afterEvents !== undefined) return Math.min(afterEvents, most);
  if (afterCharacters === undefined) return Math.floor(frames.length / 2);
  const reached = frames.findIndex(({ characters }) => characters >= afterCharacters);
  return reached < 0 ? most : Math.min(reached + 1, most);
}

/** Does what the fault does at its point. The status and the events before it are sent. */
export async function breakStream(exchange: Exchange, stream: EventStream, fault: StreamFault): Promise<void> {
  const { req, res, gone } = exchange;
  switch (fault.kind as (typeof STREAM_FAULTS)[number]) {
    case 'stall':
      return untilGone(gone);
    case 'pings-only':
      while (!gone.aborted) {
        if (stream.ping !== null) res.write(stream.ping);
        await wait(Math.max(1, fault.delayMs), gone);
      }
      return;
    case 'overloaded-mid-stream':
    case 'error-mid-stream':
      res.end(stream.errorText);
      return;
    case 'cut':
      res.end(); // to HTTP the body is whole
      return;
    case 'reset-mid-stream':
      req.socket.destroySoon(); // after what was sent has left, so that it arrives
  }
}
