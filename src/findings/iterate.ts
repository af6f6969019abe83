import { QUERY_PREFIX } from '../../queues/ids.ts';
import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import type { FindingQuery, ExportedFinding } from './types.ts';
import { parseFinding, readOriginals, readStored, toStoredText } from './stored.ts';
import { toSummaryId } from './condensed.ts';

/** Entries of each index read at once. */
const PAGE = 500;

interface Entry {
  id: string;
  score: number;
}

/**
 * Every finding there is, oldest first, exactly as it is stored: live ones, answers, retracted ones, originals of
 * summaries. Holds one page; a finding that is condensed or restored meanwhile comes once.
 * @param query `answers`: answers alone; `limit`: default all
 */
export async function* eachStored(db: Db, query: FindingQuery = {}): AsyncGenerator<ExportedFinding> {
  const { limit = Infinity } = query;
  let given = 0;
  for await (const page of pages(db, query)) {
    for (const found of await readPage(db, page)) {
      if (!fits(found, query)) continue;
      if (given >= limit) return;
      given += 1;
      yield found;
    }
  }
}

async function* pages(db: Db, query: FindingQuery): AsyncGenerator<string[]> {
  const { redis, keys } = db;
  const indexes = toIndexes(keys, query);
  // The indexes of sessions and batches keep what was retracted; `index` does not.
  const { answers, session, batch } = query;
  let retracted = answers === true || (session ?? batch) !== undefined ? [] : await readRetracted(db);
  let cursor = 0;
  let seen = new Set<string>(); // ids given that have the cursor's very score
  for (let first = true; ; first = false) {
    const from = first ? '-inf' : String(cursor);
    const ahead = seen.size + PAGE;
    const chain = redis.multi(); // one step: a finding that moves from one index to another is in exactly one of them
    for (const index of indexes) chain.zrangebyscore(index, from, '+inf', 'WITHSCORES', 'LIMIT', 0, ahead);
    const lists = ((await chain.exec()) ?? []).map(([error, reply]) => {
      if (error !== null) throw error;
      return toEntries(reply as string[]);
    });
    // Beyond the last entry of a full page others may stand that were not read.
    const horizon = Math.min(...lists.map((list) => (list.length === ahead ? (list.at(-1)?.score ?? 0) : Infinity)));
    const due = [...lists.flat(), ...retracted].filter(({ id, score }) => score <= horizon && !seen.has(id));
    retracted = retracted.filter(({ score }) => score > horizon);
    if (due.length > 0) yield [...new Set(due.sort((a, b) => a.score - b.score).map(({ id }) => id))];
    if (horizon === Infinity) return;
    const atHorizon = lists.flat().filter(({ score }) => score === horizon);
    seen = new Set([...(horizon === cursor ? seen : []), ...atHorizon.map(({ id }) => id)]);
    cursor = horizon;
  }
}

function toIndexes(keys: Keys, { answers, session, batch }: FindingQuery): string[] {
  if (answers === true) return [keys.indexAnswers];
  if (batch !== undefined) return [keys.indexByBatch(batch), keys.indexCondensed, keys.indexAnswers];
  return [session === undefined ? keys.index : keys.indexBySession(session), keys.indexCondensed, keys.indexAnswers];
}

/** Retracted findings stand in no index of their own: their times are read once. Answers keep their index. */
async function readRetracted(db: Db): Promise<Entry[]> {
  const { redis, keys } = db;
  const entries: Entry[] = [];
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(keys.retracted, cursor, 'COUNT', PAGE);
    cursor = next;
    const ids = flat.filter((_, at) => at % 2 === 0).filter((id) => !id.startsWith(QUERY_PREFIX));
    const values = await readStored(db, ids);
    for (const [at, id] of ids.entries()) {
      const value = values[at] ?? null;
      const score = value === null ? 0 : Date.parse(parseFinding(id, toStoredText(value))?.at ?? '');
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
    const kept = await readKept(db, part, values);
    for (const [at, id] of part.entries()) {
      const value = values[at] ?? null;
      if (value === null) continue; // removed by somebody
      const note = notes[at] ?? null;
      const original = kept.get(id);
      if (original !== undefined)
        found.push({ id, place: 'condensed', value: original, stub: toStoredText(value), note });
      else found.push({ id, place: toPlace(id, note), value, stub: null, note });
    }
  }
  return found;
}

function toPlace(id: string, note: string | null): ExportedFinding['place'] {
  if (id.startsWith(QUERY_PREFIX)) return 'answer';
  return note === null ? 'live' : 'out';
}

async function readKept(
  db: Db,
  ids: string[],
  values: Awaited<ReturnType<typeof readStored>>,
): Promise<Map<string, NonNullable<(typeof values)[number]>>> {
  const stubs = ids.filter((_, at) => {
    const value = values[at] ?? null;
    return value?.kind === 'string' && toSummaryId(value.text) !== null;
  });
  const originals = await readOriginals(db, stubs);
  return new Map(stubs.flatMap((id, at) => (originals[at] ? [[id, originals[at]] as const] : [])));
}

function fits({ id, value }: ExportedFinding, { session, batch, text }: FindingQuery): boolean {
  if (session === undefined && batch === undefined && text === undefined) return true;
  const finding = parseFinding(id, toStoredText(value));
  if (finding === null) return false;
  if (session !== undefined && finding.session !== session && finding.sessions?.includes(session) !== true)
    return false;
  if (batch !== undefined && finding.batch !== batch) return false;
  return text === undefined || JSON.stringify(finding).toLowerCase().includes(text.toLowerCase());
}

function toEntries(flat: string[]): Entry[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    id: flat[2 * at] ?? '',
    score: Number(flat[2 * at + 1]),
  }));
}
