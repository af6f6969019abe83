import { QUERY_PREFIX } from '../../queues/ids.ts';
import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import type { ExportedFinding, FindingQuery, StoredValue } from './types.ts';
import { parseFinding, readAdopted, readOriginals, readStored, toStoredText, withFacts } from './stored.ts';
import { isOfShard } from './marks.ts';
import { toSummaryId } from './condensed.ts';
import { stringifyExact } from '../text/exact-json.ts';

/** Entries of each index that one round reads. */
const PAGE = 500;

interface Entry {
  id: string;
  /** Instant, ms since 1970; 0 where a finding has none. */
  score: number;
}

/**
 * Yields all findings, oldest first, exactly as they are stored: live findings, answers, retracted ones, and the originals of
 * condensed ones. Holds one page in memory. A finding that is condensed or restored meanwhile comes once.
 * @param query `answers`: answers alone; `limit`: default all
 */
export async function* eachStored(db: Db, query: FindingQuery = {}): AsyncGenerator<ExportedFinding> {
  const { limit = Infinity } = query;
  let yielded = 0;
  for await (const ids of mergeIndexes(db, query)) {
    for (const finding of await readPage(db, ids)) {
      if (!fits(finding, query)) continue;
      if (yielded >= limit) return;
      yielded += 1;
      yield finding;
    }
  }
}

/**
 * Yields the ids of all indexes by ascending score, each id once: a k-way merge of sorted sets that are read in pages. Each
 * round reads one page of every set, from one score on. A full page may have more entries after its last score, so the
 * round is complete only up to the lowest such score, its *horizon*: it yields what is not beyond, and the next round
 * begins there. For pages of two entries:
 *
 *     index      a:10  b:20  c:40
 *     condensed  d:15  e:30
 *     answers    f:25
 *     round 1    reads a b | d e | f. Full pages end at 20 and 30, so the horizon is 20. Yields a d b.
 *     round 2    reads from 20: b c | e | f. One more entry a page, because b was yielded: no page is full. Yields f e c.
 *
 * Retracted findings have no set. The merge reads their times once and treats them as one more list.
 */
async function* mergeIndexes(db: Db, query: FindingQuery): AsyncGenerator<string[]> {
  const indexes = toIndexes(db.keys, query);
  let retracted = isListedElsewhere(query) ? [] : await readRetracted(db);
  let from = -Infinity;
  let yieldedAtFrom = new Set<string>(); // their score is `from`: the next round reads them again
  while (from < Infinity) {
    const limit = yieldedAtFrom.size + PAGE;
    const pages = await readRound(db, indexes, { from, limit });
    const horizon = toHorizon(pages, limit);
    const read = pages.flat();
    const due = [...read, ...retracted].filter(({ id, score }) => score <= horizon && !yieldedAtFrom.has(id));
    if (due.length > 0) yield [...new Set(due.sort((a, b) => a.score - b.score).map(({ id }) => id))];
    retracted = retracted.filter(({ score }) => score > horizon);
    const atHorizon = read.filter(({ score }) => score === horizon).map(({ id }) => id);
    yieldedAtFrom = new Set([...(horizon === from ? yieldedAtFrom : []), ...atHorizon]);
    from = horizon;
  }
}

/** Reads a page of each index in one step: a finding that moves from one index to another is in exactly one of them. */
async function readRound(
  { redis }: Db,
  indexes: string[],
  { from, limit }: { from: number; limit: number },
): Promise<Entry[][]> {
  const chain = redis.multi();
  const start = from === -Infinity ? '-inf' : String(from);
  for (const index of indexes) chain.zrangebyscore(index, start, '+inf', 'WITHSCORES', 'LIMIT', 0, limit);
  return ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return toEntries(reply as string[]);
  });
}

/** The lowest score at which a full page ends; Infinity where the pages hold all that is left. */
function toHorizon(pages: Entry[][], limit: number): number {
  const ends = pages.filter((page) => page.length === limit).map((page) => page.at(-1)?.score ?? 0);
  return Math.min(...ends, Infinity);
}

function toIndexes(keys: Keys, { answers, session, batch, shard }: FindingQuery): string[] {
  if (answers === true) return [keys.indexAnswers];
  if (batch !== undefined) return [keys.indexByBatch(batch), keys.indexCondensed, keys.indexAnswers];
  if (typeof shard === 'string') return [keys.indexByShard(shard), keys.indexCondensed, keys.indexAnswers];
  return [session === undefined ? keys.index : keys.indexBySession(session), keys.indexCondensed, keys.indexAnswers];
}

/** Whether the indexes have the retracted findings too: those of sessions, batches and answers do, `index` does not. */
function isListedElsewhere({ answers, session, batch, shard }: FindingQuery): boolean {
  return answers === true || session !== undefined || batch !== undefined || typeof shard === 'string';
}

/** Answers keep their index when they are retracted. */
async function readRetracted(db: Db): Promise<Entry[]> {
  const { redis, keys } = db;
  const entries: Entry[] = [];
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(keys.retracted, cursor, 'COUNT', PAGE);
    cursor = next;
    const ids = flat.filter((_, i) => i % 2 === 0).filter((id) => !id.startsWith(QUERY_PREFIX));
    const values = await readStored(db, ids);
    const texts = values.map((value) => (value === null ? null : toStoredText(value)));
    const facts = await readAdopted(db, ids, texts);
    for (const [i, id] of ids.entries()) {
      const value = values[i] ?? null;
      const score =
        value === null ? 0 : Date.parse(parseFinding(id, withFacts(texts[i] ?? '', facts[i] ?? null))?.at ?? '');
      entries.push({ id, score: Number.isNaN(score) ? 0 : score });
    }
  } while (cursor !== '0');
  return entries;
}

async function readPage(db: Db, ids: string[]): Promise<ExportedFinding[]> {
  const { redis, keys } = db;
  const found: ExportedFinding[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const part = ids.slice(from, from + PAGE);
    const [values, notes] = await Promise.all([readStored(db, part), redis.hmget(keys.retracted, ...part)]);
    const originals = await readOriginalsOf(db, part, values);
    const whole = part.map((id, i) => originals.get(id) ?? values[i] ?? null);
    const facts = await readAdopted(
      db,
      part,
      whole.map((value) => (value === null ? null : toStoredText(value))),
    );
    for (const [i, id] of part.entries()) {
      const value = values[i] ?? null;
      if (value === null) continue; // another program removed it
      const note = notes[i] ?? null;
      const lacked = facts[i] ?? null;
      const original = originals.get(id);
      if (original === undefined)
        found.push({ id, place: toPlace(id, note), value, condensedText: null, note, lacked });
      else found.push({ id, place: 'condensed', value: original, condensedText: toStoredText(value), note, lacked });
    }
  }
  return found;
}

function toPlace(id: string, note: string | null): ExportedFinding['place'] {
  if (id.startsWith(QUERY_PREFIX)) return 'answer';
  return note === null ? 'live' : 'out';
}

/** The originals of those values that are condensed findings, by id. */
async function readOriginalsOf(
  db: Db,
  ids: string[],
  values: (StoredValue | null)[],
): Promise<Map<string, StoredValue>> {
  const condensed = ids.filter((_, i) => {
    const value = values[i] ?? null;
    return value?.kind === 'string' && toSummaryId(value.text) !== null;
  });
  const originals = await readOriginals(db, condensed);
  return new Map(condensed.flatMap((id, i) => (originals[i] ? [[id, originals[i]] as const] : [])));
}

function fits({ id, value, lacked }: ExportedFinding, { session, batch, shard, text }: FindingQuery): boolean {
  if (session === undefined && batch === undefined && shard === undefined && text === undefined) return true;
  const finding = parseFinding(id, withFacts(toStoredText(value), lacked));
  if (finding === null) return false;
  if (session !== undefined && finding.session !== session && finding.sessions?.includes(session) !== true)
    return false;
  if (batch !== undefined && finding.batch !== batch) return false;
  if (!isOfShard(finding, shard)) return false;
  return text === undefined || stringifyExact(finding).toLowerCase().includes(text.toLowerCase());
}

function toEntries(flat: string[]): Entry[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    id: flat[2 * i] ?? '',
    score: Number(flat[2 * i + 1]),
  }));
}
