import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { UsageError } from '../../errors.ts';
import type { Place } from './source.ts';
import type { JobFilter } from './types.ts';

/** Of a cursor's JSON: a place for each of two dozen sources. */
const MOST_BYTES = 64 * 1024;

/** Where each source continues; null: at its newest entry. One that has nothing more is not in it. */
export type Places = Map<string, Place | null>;

/** Writes where a list continues, as one word. It belongs to its filter: with another one it would skip jobs. */
export function toCursor(filter: JobFilter, places: Places): string {
  const list = [...places].map(([name, place]) =>
    place === null ? [name] : [name, place.id, place.index, place.score],
  );
  return deflateRawSync(JSON.stringify([toDigest(filter), ...list])).toString('base64url');
}

/** @throws UsageError for what is no cursor, or one of another list */
export function parseCursor(text: string, filter: JobFilter): Places {
  const [digest, ...list] = unpack(text);
  if (typeof digest !== 'string' || !list.every(isEntry)) {
    throw new UsageError(
      `cursor: expected the one that the page before ended with, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  if (digest !== toDigest(filter)) {
    throw new UsageError('cursor: it is of a list with other filters; give the same filters, or leave the cursor out');
  }
  return new Map(
    list.map(([name, id, index = 0, score = '']) => [name, id === undefined ? null : { id, index, score }]),
  );
}

function unpack(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(
      inflateRawSync(Buffer.from(text, 'base64url'), { maxOutputLength: MOST_BYTES }).toString('utf8'),
    );
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // any text may be given
  }
}

type Entry = [name: string, id?: string, index?: number, score?: string];

function isEntry(entry: unknown): entry is Entry {
  if (!Array.isArray(entry)) return false;
  const [name, id, index, score] = entry as unknown[];
  if (typeof name !== 'string') return false;
  if (entry.length === 1) return true;
  return typeof id === 'string' && Number.isSafeInteger(index) && Number(index) >= 0 && typeof score === 'string';
}

function toDigest(filter: JobFilter): string {
  // `2h` is another instant with each page.
  const fields = Object.entries(filter).filter(([name, value]) => name !== 'since' && value !== undefined);
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha1').update(JSON.stringify(sorted)).digest('base64url').slice(0, 8);
}
