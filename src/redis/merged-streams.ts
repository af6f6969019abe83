import type { Redis } from 'ioredis';
import { undefinedOnAbort } from '../process/abort.ts';
import { toEntry, type StreamEntry } from './streams.ts';

/** Longest block of one XREAD: a longer one would only delay that a dead connection is noticed. */
const BLOCK_MS = 5_000;
const CHUNK = 500;

export interface MergedEntry {
  stream: string;
  /** When it was added, by Redis' clock: ms since 1970. */
  at: number;
  entry: StreamEntry;
}

/**
 * Reads several streams as one, in the order in which their entries were added. Yields a page at a time.
 * @param streams of one hash tag; of entries of the same millisecond, those of the first stream come first
 * @param options.from id in each stream after which it begins; `options.follow`: false: it ends where the streams end
 */
export async function* readMergedStreams(
  connection: Redis,
  streams: readonly string[],
  options: { from: readonly string[]; follow: boolean; signal: AbortSignal },
): AsyncGenerator<MergedEntry[]> {
  const { from, follow, signal } = options;
  const last = new Map(streams.map((stream, i) => [stream, from[i] ?? '0-0']));
  while (!signal.aborted) {
    const names = ['STREAMS', ...last.keys(), ...last.values()] as const;
    const reading = follow
      ? connection.xread('COUNT', CHUNK, 'BLOCK', BLOCK_MS, ...names)
      : connection.xread('COUNT', CHUNK, ...names);
    const found = ((await undefinedOnAbort(reading, signal)) ?? []) as [string, [id: string, fields: string[]][]][];
    if (found.length === 0 && !follow) return;
    const page = merge(found, streams);
    for (const { stream, id } of page) last.set(stream, id);
    if (page.length > 0) yield page.map(({ stream, id, fields }) => ({ stream, at: toMs(id), entry: toEntry(fields) }));
  }
}

interface Read {
  stream: string;
  id: string;
  fields: string[];
}

/** A stream that filled its part of the answer may hold more: what other streams hold after that waits for the next answer. */
function merge(found: [string, [id: string, fields: string[]][]][], streams: readonly string[]): Read[] {
  const bounds = found.filter(([, entries]) => entries.length >= CHUNK).map(([, entries]) => entries.at(-1)?.[0] ?? '');
  const bound = bounds.toSorted(compareIds)[0];
  return found
    .flatMap(([stream, entries]) => entries.map(([id, fields]): Read => ({ stream, id, fields })))
    .filter(({ id }) => bound === undefined || compareIds(id, bound) <= 0)
    .toSorted((a, b) => toMs(a.id) - toMs(b.id) || compareInMs(a, b, streams));
}

function compareInMs(a: Read, b: Read, streams: readonly string[]): number {
  return streams.indexOf(a.stream) - streams.indexOf(b.stream) || compareIds(a.id, b.id);
}

function compareIds(a: string, b: string): number {
  return toMs(a) - toMs(b) || toSequence(a) - toSequence(b);
}

function toMs(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

function toSequence(id: string): number {
  return Number(id.slice(id.indexOf('-') + 1));
}
