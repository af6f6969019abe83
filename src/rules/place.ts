import { toMessage } from '../errors.ts';
import type { Db } from '../redis/db.ts';

/** What the event stream holds. */
interface StreamBounds {
  /** Id of its oldest entry. Null: it is empty. */
  first: string | null;
  /** Id of the newest entry that it ever had. */
  last: string;
}

/**
 * Returns the place after all events so far: a rule that begins here sees those that come. An empty stream may have had entries
 * that were trimmed; ids grow with Redis' clock.
 */
export async function readPlace(db: Db): Promise<string> {
  const { last } = await readBounds(db);
  if (last !== '0-0') return last;
  const [seconds, micros] = await db.redis.time();
  return `${Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) - 1}-0`;
}

export async function readBounds({ redis, keys }: Db): Promise<StreamBounds> {
  const none = { first: null, last: '0-0' };
  try {
    const flat = (await redis.xinfo('STREAM', keys.events)) as unknown[];
    const facts = new Map(Array.from({ length: flat.length / 2 }, (_, i) => [String(flat[2 * i]), flat[2 * i + 1]]));
    const [first, last] = [facts.get('first-entry'), facts.get('last-generated-id')];
    return {
      first: Array.isArray(first) ? String(first[0]) : null,
      last: typeof last === 'string' ? last : '0-0',
    };
  } catch (error) {
    if (toMessage(error).includes('no such key')) return none;
    throw error;
  }
}

/** Whether `id` is after `other`; both are ids of entries of a stream. */
export function isAfter(id: string, other: string): boolean {
  const [ms, n] = toParts(id);
  const [otherMs, otherN] = toParts(other);
  return ms === otherMs ? n > otherN : ms > otherMs;
}

/** Whether entries after this place may have been trimmed before they were read. */
export function isTrimmed({ first, last }: StreamBounds, place: string): boolean {
  return first === null ? isAfter(last, place) : isAfter(first, place);
}

/** The instant of a place, ms. */
export function toMs(place: string): number {
  return Number(toParts(place)[0]);
}

function toParts(id: string): [ms: bigint, n: bigint] {
  const [ms = '0', n = '0'] = id.split('-');
  return [BigInt(ms), BigInt(n)];
}
