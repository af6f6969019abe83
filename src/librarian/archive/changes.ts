import type { Db } from '../../redis/db.ts';

/** Most events that are followed one by one; after more, the whole index is compared instead. */
const MAX_EVENTS = 5_000;
/** Ids read in one command. */
const PAGE = 10_000;

/** What happened to the archive since an event. */
export interface ArchiveChanges {
  /** Ids to read: new findings, and known findings that were rewritten. Oldest event first. */
  live: string[];
  /** Ids that are no longer live: retracted, or removed from the index. */
  gone: string[];
  /** Stream id. */
  lastEvent: string;
  /** Size of the index when the last event was read. */
  count: number;
}

type StreamEntry = [id: string, fields: string[]];

/**
 * Reads the event stream after `cursor`, in one command, or two if there are new events.
 * @returns `gap` when events may have been trimmed away unread, or when there are too many to follow one by one
 */
export async function readChanges({ redis, keys }: Db, cursor: string): Promise<ArchiveChanges | 'gap'> {
  // One step, so that the index is counted as of the last event.
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
    live: ids.filter((_, i) => scores[i] !== null),
    gone: ids.filter((_, i) => scores[i] === null),
    lastEvent,
    count,
  };
}

/** Reads all live ids, oldest first, and the event after which changes must be followed. */
export async function readIndex({ redis, keys }: Db): Promise<{ ids: string[]; lastEvent: string }> {
  // The event first: a change during the read is then followed, perhaps twice, and never missed.
  const last = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
  const ids = new Set<string>();
  for (let from = 0; ; from += PAGE) {
    const page = await redis.zrange(keys.index, from, String(from + PAGE - 1));
    for (const id of page) ids.add(id);
    if (page.length < PAGE) return { ids: [...ids], lastEvent: last[0]?.[0] ?? '0-0' };
  }
}

/** Field `finding` names a new finding; field `changed` one that was retracted, condensed or rewritten. */
function toFindingId(fields: string[]): string {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i] === 'finding' || fields[i] === 'changed') return fields[i + 1] ?? '';
  }
  return '';
}

/** Stream ids are `ms-seq`. */
function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs > bMs || (aMs === bMs && aSeq > bSeq);
}
