import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import { parseFinding } from '../stored.ts';

/** So much of a text is shown, UTF-16 code units. */
const SHOWN = 120;
/** So much of a text is read for it, bytes. */
const READ = 1_000;

/** Something that another program stored under `finding:<id>` and that is no finding. */
export interface UnreadableFinding {
  id: string;
  key: string;
  /** `a list`, `text that is no JSON object`. */
  holds: string;
  /** How its text begins, on one line; empty for another type. */
  start: string;
}

/** Lists what other programs stored and nobody can read, by id. @param limit most of them */
export async function listUnreadable(db: Db, limit: number): Promise<{ count: number; found: UnreadableFinding[] }> {
  const { redis, keys } = db;
  const ids: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.sscan(keys.unreadable, cursor, 'COUNT', 1_000);
    cursor = next;
    ids.push(...page);
  } while (cursor !== '0' && ids.length < limit);
  const found = await Promise.all(ids.slice(0, limit).map((id) => describe(db, id)));
  return {
    count: await redis.scard(keys.unreadable),
    found: found.filter((one) => one !== null).toSorted((a, b) => a.id.localeCompare(b.id)),
  };
}

/** @returns null: it is gone, or readable now; the next search learns of it */
async function describe({ redis, keys, redact }: Db, id: string): Promise<UnreadableFinding | null> {
  const key = keys.finding(id);
  const type = await redis.type(key);
  if (type === 'none') return null;
  if (type !== 'string') return { id, key, holds: `a ${type}`, start: '' };
  const [text = null] = await redis.mget(key);
  if (text === null || parseFinding(id, text) !== null) return null;
  return { id, key, holds: 'text that is no JSON object', start: toOneLine(redact(text.slice(0, READ)), SHOWN) };
}
