import type { Redis } from 'ioredis';
import { connectRedis } from './connect.ts';
import { undefinedOnAbort } from '../process/abort.ts';

/** Longest block of one XREAD: a longer one would only delay that a dead connection is noticed. */
const BLOCK_MS = 5_000;
const CHUNK = 500;

/** Fields of one entry by name. */
export type StreamEntry = Record<string, string>;

/** @returns id of the newest entry: later entries come after it */
export async function readStreamEnd(redis: Redis, stream: string): Promise<string> {
  const [newest] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

/**
 * Reads a stream's entries as they are added, over a connection of its own, until `signal` fires. After an outage it yields
 * the entries that were added meanwhile, unless the stream was trimmed.
 * @returns the entries, with the connection for further reads; it waits through outages, too
 * @param options.from a result of `readStreamEnd`; default: the end of the stream when the connection is open
 * @param options.onOpen called when no entry that is added later can be missed
 */
export function followStream(
  url: string,
  stream: string,
  { from, ...options }: { name: string; signal: AbortSignal; from?: string; onOpen?: () => void },
): AsyncGenerator<{ entries: StreamEntry[]; connection: Redis }> {
  return followStreams(url, [stream], from === undefined ? options : { ...options, from: [from] });
}

/** Like `followStream`, for several streams over one connection. @param options.from one for each stream */
export async function* followStreams(
  url: string,
  streams: readonly string[],
  options: { name: string; signal: AbortSignal; from?: readonly string[]; onOpen?: () => void },
): AsyncGenerator<{ stream: string; entries: StreamEntry[]; connection: Redis }> {
  const { name, signal } = options;
  const connection = await connectRedis(url, { role: 'worker', name, signal }).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (connection === null) return;
  try {
    const ends = Promise.all(streams.map((stream) => readStreamEnd(connection, stream)));
    const from = options.from ?? (await undefinedOnAbort(ends, signal));
    if (from === undefined) return;
    const last = new Map(streams.map((stream, i) => [stream, from[i] ?? '0-0']));
    options.onOpen?.();
    while (!signal.aborted) {
      const reading = connection.xread('COUNT', CHUNK, 'BLOCK', BLOCK_MS, 'STREAMS', ...last.keys(), ...last.values());
      const found = (await undefinedOnAbort(reading, signal)) ?? [];
      for (const [stream, entries] of found as [stream: string, entries: [id: string, fields: string[]][]][]) {
        last.set(stream, entries.at(-1)?.[0] ?? last.get(stream) ?? '0-0');
        yield { stream, entries: entries.map(([, fields]) => toEntry(fields)), connection };
      }
    }
  } finally {
    connection.disconnect();
  }
}

/** @param fields names and values in turn */
export function toEntry(fields: string[]): StreamEntry {
  const entry: StreamEntry = {};
  for (let i = 0; i + 1 < fields.length; i += 2) entry[fields[i] ?? ''] = fields[i + 1] ?? '';
  return entry;
}
