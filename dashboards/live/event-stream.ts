import type { Response } from 'express';
import type { Logger } from '../../src/process/logger.ts';
import { toHead } from './head.ts';
import type { OverviewReads } from './read-overview.ts';

/** What a stream carries: the header of a page, or the header and the overview. */
type StreamOf = 'head' | 'overview';

/** Between two reads. Each is told as an event, also when nothing changed: a page that hears nothing knows that its stream is dead. */
const READ_EVERY_MS = 2_000;
/** Then a stream ends, and its page opens another: a login that has ended ends with it. */
const LIFE_MS = 60_000;
/** Streams at once. Further pages read at intervals instead. */
const MOST_STREAMS = 200;

interface Stream {
  response: Response;
  of: StreamOf;
  /** The version of the overview that was sent last. */
  sent: string;
}

/** Sends the fleet's state to pages as server-sent events, all from one read. */
export interface EventStreams {
  /** @returns whether there was room for one more */
  open(response: Response, of: StreamOf): boolean;
}

export function createEventStreams({ reads, log }: { reads: OverviewReads; log: Logger }): EventStreams {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | null = null;

  async function tell(to: readonly Stream[]): Promise<void> {
    try {
      const head = toHead(await reads.snapshot());
      const overview = to.some(({ of }) => of === 'overview') ? await reads.overview() : null;
      const version = overview?.version ?? '';
      const texts = { head: JSON.stringify({ ...head, version }), overview: JSON.stringify(overview) };
      for (const stream of to) send(stream, texts, version);
    } catch (error) {
      log.debug({ error }, 'dashboard: the state of the fleet could not be read for the pages that follow it');
      for (const { response } of to) response.end(); // its page asks by itself, and shows why there is no answer
    }
  }

  /** A page that reads too slowly misses events instead of filling the memory. */
  function send(stream: Stream, { head, overview }: { head: string; overview: string }, version: string): void {
    const { response } = stream;
    if (response.writableEnded || response.writableNeedDrain) return;
    if (stream.of === 'overview' && stream.sent !== version) {
      stream.sent = version;
      response.write(`event: overview\ndata: ${overview}\n\n`);
    }
    response.write(`event: head\ndata: ${head}\n\n`);
  }

  function follow(): void {
    timer = setTimeout(async () => {
      await tell([...streams]);
      if (streams.size > 0) follow();
      else timer = null;
    }, READ_EVERY_MS);
    timer.unref();
  }

  return {
    open(response, of) {
      if (streams.size >= MOST_STREAMS) return false;
      const stream: Stream = { response, of, sent: '' };
      const end = setTimeout(() => response.end(), LIFE_MS).unref();
      response.on('close', () => {
        clearTimeout(end);
        streams.delete(stream);
      });
      response.status(200).set({
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no', // nginx passes on each event at once
      });
      response.flushHeaders();
      streams.add(stream);
      void tell([stream]);
      if (timer === null) follow();
      return true;
    },
  };
}
