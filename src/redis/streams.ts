import type { Redis } from 'ioredis';
import { connectRedis } from './connect.ts';
import { untilAborted } from '../process/abort.ts';

/** The reader comes up for air this often; a longer block would only keep a dead connection unnoticed. */
const BLOCK_MS = 5_000;
const CHUNK = 500;

/** Fields of one entry by name. */
export type StreamEntry = Record<string, string>;

/** @returns where the stream ends now: what is added later comes after it */
export async function readStreamEnd(redis: Redis, stream: string): Promise<string> {
  const [newest] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

/**
 * Entries of a stream as they are added, over a connection of its own, until `signal` fires. What is added while Redis is
 * away comes afterwards, unless the stream was cut meanwhile.
 * @returns the entries, with the connection for reading more in between; it waits through outages as well
 * @param options.from what `readStreamEnd` gave; default: where the stream ends once the connection is there
 * @param options.onOpen told when nothing that is added from now on is missed
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
    let last = options.from ?? (await untilAborted(readStreamEnd(connection, stream), signal));
    options.onOpen?.();
    while (last !== undefined && !signal.aborted) {
      const reading = connection.xread('COUNT', CHUNK, 'BLOCK', BLOCK_MS, 'STREAMS', stream, last);
      const entries: [id: string, fields: string[]][] = (await untilAborted(reading, signal))?.[0]?.[1] ?? [];
      last = entries.at(-1)?.[0] ?? last;
      if (entries.length > 0) yield { entries: entries.map(([, fields]) => toEntry(fields)), connection };
    }
  } finally {
    connection.disconnect();
  }
}

function toEntry(fields: string[]): StreamEntry {
  const entry: StreamEntry = {};
  for (let at = 0; at + 1 < fields.length; at += 2) entry[fields[at] ?? ''] = fields[at + 1] ?? '';
  return entry;
}
