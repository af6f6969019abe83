import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import { toWellFormedJson } from '../text/well-formed.ts';
import type { Finding } from './finding.ts';
import { parseFinding, readFindingTexts, toStoredTokens, toSummary } from './stored.ts';
import { searchFindings, toFound } from './search.ts';
import { toSearchTerms } from './search-terms.ts';
import type { FindingQuery, FindingStore, FindOptions, ReaderOptions, FoundFindings, StoredFinding } from './types.ts';
import { isOfShard, mayRead } from './marks.ts';
import { withOriginals } from './condensed.ts';
import { stringifyExact } from '../text/exact-json.ts';

const PAGE = 200;
const DEFAULT_LIMIT = 50;
const FIND_LIMIT = 20;
const FIND_DEADLINE_MS = 10_000;

export function createFindingStore(db: Db): FindingStore {
  const { redis, keys } = db;
  async function get(id: string): Promise<StoredFinding | null> {
    const [finding = null] = await readMany([id]);
    return finding;
  }

  async function* pages(query: FindingQuery, order: 'newest' | 'oldest'): AsyncGenerator<StoredFinding> {
    const { limit = DEFAULT_LIMIT, session, batch, shard, text, answers = false, signal } = query;
    const wanted = text?.toLowerCase();
    const index = answers ? keys.indexAnswers : toIndex(keys, query);
    let given = 0;
    for (let from = 0; given < limit; from += PAGE) {
      signal?.throwIfAborted();
      const to = from + PAGE - 1;
      const ids =
        order === 'newest' ? await redis.zrevrange(index, from, to) : await redis.zrange(index, from, String(to));
      if (ids.length === 0) return;
      for (const finding of await readMany(ids)) {
        if (finding === null || !isOfShard(finding, shard)) continue;
        const hasSession = session === undefined || finding.session === session || finding.sessions?.includes(session);
        if (!answers && hasSession !== true) continue;
        if (!answers && batch !== undefined && finding.batch !== batch) continue;
        if (wanted !== undefined && !stringifyExact(finding).toLowerCase().includes(wanted)) continue;
        yield finding;
        given += 1;
        if (given >= limit) return;
      }
    }
  }

  async function list(query: FindingQuery = {}): Promise<StoredFinding[]> {
    const found: StoredFinding[] = [];
    const named = await findNamed(query);
    if (named !== null) found.push(named);
    for await (const finding of pages(query, 'newest')) {
      if (finding.finding_id !== named?.finding_id) found.push(finding);
    }
    return found.slice(0, query.limit ?? DEFAULT_LIMIT);
  }

  /** Finds a condensed finding by its id: it is in no index that the search reads. */
  async function findNamed({
    text,
    session,
    batch,
    shard,
    answers = false,
  }: FindingQuery): Promise<StoredFinding | null> {
    const id = text?.trim().replace(/^finding:/, '') ?? '';
    if (answers || !/^\S{1,200}$/.test(id) || (await redis.zscore(keys.indexCondensed, id)) === null) return null;
    const finding = await get(id);
    const fits =
      (session === undefined || finding?.session === session) && (batch === undefined || finding?.batch === batch);
    return fits && finding !== null && isOfShard(finding, shard) ? finding : null;
  }

  async function readMany(ids: string[]): Promise<(StoredFinding | null)[]> {
    const texts = await withOriginals(db, ids, await readFindingTexts(db, ids));
    return ids.map((id, i) => {
      const text = texts[i] ?? null;
      return text === null ? null : parseFinding(id, text);
    });
  }

  async function find(query: string, options: FindOptions & ReaderOptions = {}): Promise<FoundFindings> {
    const { limit = FIND_LIMIT, deadlineMs = FIND_DEADLINE_MS, session, batch, shard, reader, signal } = options;
    const limits = { limit, deadlineMs, signal, session, shard, reader };
    const result = await searchFindings(db, toIndex(keys, options), query, limits);
    const named = await Promise.all(
      toSearchTerms(query).map(({ written }) =>
        findNamed({
          text: written,
          ...(session === undefined ? {} : { session }),
          ...(batch === undefined ? {} : { batch }),
          ...(shard === undefined ? {} : { shard }),
        }),
      ),
    );
    const shown = named.filter((finding) => finding !== null && (reader === undefined || mayRead(reader, finding)));
    const condensed = shown.flatMap((finding) => (finding === null ? [] : [toFound(finding, 1)]));
    return { ...result, found: [...condensed, ...result.found].slice(0, limit) };
  }

  return {
    get,
    list,
    find,
    each: (query = {}) => pages(query, 'oldest'),
    async search(text, { limit }) {
      const found = await list({ text, limit });
      return found.map((finding) => ({ id: finding.finding_id, summary: toSummary(finding), at: finding.at }));
    },
    count: () => redis.zcard(keys.index),
  };
}

function toIndex(keys: Keys, { batch, session, shard }: FindingQuery): string {
  if (batch !== undefined) return keys.indexByBatch(batch);
  if (typeof shard === 'string') return keys.indexByShard(shard);
  return session !== undefined ? keys.indexBySession(session) : keys.index;
}

/**
 * Records a finding that ends no job, and announces it. An id is recorded only once.
 * @returns false: a finding with this id exists
 */
export async function noteFinding({ keys, scripts }: Db, finding: Finding): Promise<boolean> {
  const { finding_id: id, session, shard = '' } = finding;
  const text = stringifyExact(finding);
  const answer = await scripts['note-finding'](
    {
      finding: keys.finding(id),
      index: keys.index,
      bySession: keys.indexBySession(session),
      contextActive: keys.contextActive,
      session: keys.session,
      events: keys.events,
      byShard: keys.indexByShard(shard),
    },
    [
      toWellFormedJson([
        id,
        String(Date.parse(finding.at)),
        String(toStoredTokens(text)),
        session,
        keys.channelFindings,
        shard,
        finding.topics.join(','),
      ]),
      text,
    ],
  );
  return answer === 'recorded';
}
