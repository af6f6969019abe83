import type { Actor } from '../../queues/owner.ts';
import type { Db } from '../redis/db.ts';
import { hasFields, parseRecord } from '../redis/stored-record.ts';
import { toEntry } from '../redis/streams.ts';
import type { AuditEntry, AuditFields, AuditOptions, AuditQuery, AuditValue } from './types.ts';

/** Entries of one read. */
const PAGE = 500;

/** Yields the changes that fit, the newest first. */
export async function* eachAudited(
  db: Db,
  { limit = Infinity, ...query }: AuditOptions = {},
): AsyncGenerator<AuditEntry> {
  let left = limit;
  for await (const entry of eachEntry(db, query, null)) {
    if (left <= 0) return;
    left -= 1;
    yield entry;
  }
}

/**
 * One page of the changes that fit, the newest first.
 * @param options.cursor of the page before. Default: begins with the newest
 * @returns `cursor` null: there are no older ones
 */
export async function readAuditPage(
  db: Db,
  query: AuditQuery,
  { limit, cursor = null }: { limit: number; cursor?: string | null },
): Promise<{ entries: AuditEntry[]; cursor: string | null }> {
  const entries: AuditEntry[] = [];
  for await (const entry of eachEntry(db, query, cursor)) {
    if (entries.length === limit) return { entries, cursor: entries.at(-1)?.id ?? null };
    entries.push(entry);
  }
  return { entries, cursor: null };
}

/** @param before id of an entry: only those that are older */
async function* eachEntry({ redis, keys }: Db, query: AuditQuery, before: string | null): AsyncGenerator<AuditEntry> {
  const { since } = query;
  const from = since === undefined ? '-' : `${Math.max(0, Math.trunc(since))}-0`;
  for (let to = before === null ? '+' : `(${before}`; ;) {
    const read = await redis.xrevrange(keys.audit, to, from, 'COUNT', PAGE);
    for (const [id, fields] of read) {
      const entry = parseEntry(id, toEntry(fields));
      if (isWanted(entry, query)) yield entry;
    }
    const last = read.at(-1)?.[0];
    if (last === undefined || read.length < PAGE) return;
    to = `(${last}`;
  }
}

function parseEntry(id: string, stored: Record<string, string>): AuditEntry {
  const { who = '', from = 'script', client = '', what = '', about, before, after } = stored;
  return {
    id,
    at: new Date(Number(id.split('-')[0])).toISOString(),
    who,
    from: from as Actor['from'],
    client: client === '' ? null : client,
    what,
    about: toFields(about) ?? {},
    before: toFields(before),
    after: toFields(after),
  };
}

/** @returns null: there are none, or they are damaged */
function toFields(text: string | undefined): AuditFields | null {
  const record = parseRecord(text === '' ? undefined : text);
  if (!hasFields(record)) return null;
  return Object.fromEntries(Object.entries(record).filter((pair): pair is [string, AuditValue] => isValue(pair[1])));
}

function isValue(value: unknown): value is AuditValue {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function isWanted({ what, who, client }: AuditEntry, query: AuditQuery): boolean {
  if (query.what !== undefined && query.what.length > 0 && !query.what.includes(what)) return false;
  return query.who === undefined || [who, who.split('@')[0], client].includes(query.who);
}
