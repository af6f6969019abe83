import type { Db } from '../../redis/db.ts';

/** Events read at once; more than this many behind, the whole index is compared instead. */
const MAX_EVENTS = 5_000;
const PAGE = 10_000;

/** What happened to the archive since an event. */
export interface ArchiveChanges {
  /** Ids to read: new ones, and known ones that were written anew. Oldest event first. */
  live: string[];
  /** Ids that are no longer live: retracted, or taken out of the index. */
  gone: string[];
  lastEvent: string;
  /** Size of the index at the moment of the last event read. */
  count: number;
}

type StreamEntry = [id: string, fields: string[]];

/**
 * Reads the event stream after `cursor`: one command and, where something happened, one more.
 * @returns `gap` when events may have been trimmed away unread, or too many happened to follow one by one
 */
export async function readChanges({ redis, keys }: Db, cursor: string): Promise<ArchiveChanges | 'gap'> {
  // One step: the index then holds exactly what the events up to the last one say.
  const replies = await redis
    .multi()
    .xrange(keys.events, `(${cursor}`, '+', 'COUNT', MAX_EVENTS + 1)
    .xrange(keys.events, '-', '+', 'COUNT', 1)
    .zcard(keys.index)
    .exec();
  const [events, oldest, count] = (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  }) as [StreamEntry[], StreamEntry[], number];
  const first = oldest[0]?.[0];
  if (events.length > MAX_EVENTS || (first !== undefined && cursor !== '0-0' && isAfter(first, cursor))) return 'gap';
  const lastEvent = events.at(-1)?.[0] ?? cursor;
  const ids = [...new Set(events.map(([, fields]) => toFindingId(fields)))].filter((id) => id !== '');
  if (ids.length === 0) return { live: [], gone: [], lastEvent, count };
  const scores = await redis.zmscore(keys.index, ...ids);
  return {
    live: ids.filter((_, at) => scores[at] !== null),
    gone: ids.filter((_, at) => scores[at] === null),
    lastEvent,
    count,
  };
}

/** All live ids, oldest first, and the event from which changes must be followed. */
export async function readIndex({ redis, keys }: Db): Promise<{ ids: string[]; lastEvent: string }> {
  // The event first: what happens while the index is read is then followed, perhaps twice, never missed.
  const last = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
  const ids = new Set<string>();
  for (let from = 0; ; from += PAGE) {
    const page = await redis.zrange(keys.index, from, String(from + PAGE - 1));
    for (const id of page) ids.add(id);
    if (page.length < PAGE) return { ids: [...ids], lastEvent: last[0]?.[0] ?? '0-0' };
  }
}

/** `finding`: a new one; `changed`: one that was retracted, condensed or written anew. */
function toFindingId(fields: string[]): string {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (fields[at] === 'finding' || fields[at] === 'changed') return fields[at + 1] ?? '';
  }
  return '';
}

/** Stream ids are `ms-seq`. */
function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs > bMs || (aMs === bMs && aSeq > bSeq);
}
