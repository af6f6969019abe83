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
export async function* followStream(
  url: string,
  stream: string,
  options: { name: string; signal: AbortSignal; from?: string; onOpen?: () => void },
): AsyncGenerator<{ entries: StreamEntry[]; connection: Redis }> {
  const { name, signal } = options;
  const connection = await connectRedis(url, { role: 'worker', name, signal }).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (connection === null) return;
  try {
    let last = options.from ?? (await undefinedOnAbort(readStreamEnd(connection, stream), signal));
    options.onOpen?.();
    while (last !== undefined && !signal.aborted) {
      const reading = connection.xread('COUNT', CHUNK, 'BLOCK', BLOCK_MS, 'STREAMS', stream, last);
      const entries: [id: string, fields: string[]][] = (await undefinedOnAbort(reading, signal))?.[0]?.[1] ?? [];
      last = entries.at(-1)?.[0] ?? last;
      if (entries.length > 0) yield { entries: entries.map(([, fields]) => toEntry(fields)), connection };
    }
  } finally {
    connection.disconnect();
  }
}

function toEntry(fields: string[]): StreamEntry {
  const entry: StreamEntry = {};
  for (let i = 0; i + 1 < fields.length; i += 2) entry[fields[i] ?? ''] = fields[i + 1] ?? '';
  return entry;
}
