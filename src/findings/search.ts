import type { Db } from '../redis/db.ts';
import { countToolErrors, isOfShard, isPartial, mayRead } from './marks.ts';
import { foldText, toSearchTerms, type SearchTerm } from './search-terms.ts';
import { parseFinding, readFindingTexts, toSummary } from './stored.ts';
import type { FoundFinding, FoundFindings, StoredFinding } from './types.ts';

/** Ids of one read of the index. */
const PAGE = 500;
/** Bytes of findings in memory at a time, and of the largest one that is searched. Tasks of one process search side by side. */
const CHUNK_BYTES = 2 * 2 ** 20;
const MOST_BYTES = 8 * 2 ** 20;

/** How much a search may do. */
export interface SearchLimits {
  /** Most findings that it returns. */
  limit: number;
  /** After this time it begins no further read, ms. */
  deadlineMs: number;
  /** Ends the search when it fires. */
  signal?: AbortSignal | undefined;
  /** Only findings of this session. Default: all of the index. */
  session?: string | undefined;
  /** Only findings of this memory shard; null: only those that belong to none. Default: all of the index. */
  shard?: string | null | undefined;
  /** Only findings that may be shown to a reader from which these vendors learn of it; null: all vendors do. Default: all of the index. */
  reader?: readonly string[] | null | undefined;
}

/**
 * Searches an index of findings for the words of a query, newest first. The best are those with the most words; of two with as
 * many, the newer one. The search is over early when enough findings have all words: none of the older ones could be better.
 * @throws the reason of `signal`
 */
export async function searchFindings(
  db: Db,
  index: string,
  query: string,
  limits: SearchLimits,
): Promise<FoundFindings> {
  const terms = toSearchTerms(query);
  const best = new BestFindings(terms.length, limits.limit);
  const endsAt = performance.now() + limits.deadlineMs;
  const count = terms.length === 0 ? 0 : await db.redis.zcard(index);
  const seen = { read: 0, tooLarge: 0 };
  while (seen.read < count && !best.isFull) {
    const ids = await db.redis.zrevrange(index, seen.read, seen.read + PAGE - 1);
    if (ids.length === 0) break;
    for await (const { findings, idCount, tooLarge } of readChunks(db, ids)) {
      limits.signal?.throwIfAborted();
      for (const finding of findings) {
        if (limits.session !== undefined && finding.session !== limits.session) continue;
        if (!isOfShard(finding, limits.shard)) continue;
        if (limits.reader !== undefined && !mayRead(limits.reader, finding)) continue;
        best.add(finding, countTerms(finding, terms));
      }
      seen.read += idCount;
      seen.tooLarge += tooLarge;
      if (best.isFull || performance.now() >= endsAt) break;
    }
    if (performance.now() >= endsAt) break;
  }
  const olderCount = best.isFull ? 0 : Math.max(0, count - seen.read);
  return { found: best.list(), termCount: terms.length, olderCount, tooLargeCount: seen.tooLarge };
}

export function toFound(finding: StoredFinding, matches: number): FoundFinding {
  const { finding_id: id, at } = finding;
  const marks = { isPartial: isPartial(finding), toolErrors: countToolErrors(finding) };
  return { id, at, summary: toSummary(finding), ...marks, matches };
}

interface Chunk {
  findings: StoredFinding[];
  /** Ids that it covers, missing and unreadable findings included. */
  idCount: number;
  tooLarge: number;
}

/** Reads findings, a few megabytes at a time. */
async function* readChunks(db: Db, ids: readonly string[]): AsyncGenerator<Chunk> {
  const sizes = await readSizes(db, ids);
  for (let from = 0; from < ids.length;) {
    let to = from;
    let bytes = 0;
    while (to < ids.length && (to === from || bytes + toReadBytes(sizes[to]) <= CHUNK_BYTES)) {
      bytes += toReadBytes(sizes[to]);
      to += 1;
    }
    const all = ids.slice(from, to);
    const wanted = all.filter((_, i) => (sizes[from + i] ?? 0) <= MOST_BYTES);
    const texts = await readFindingTexts(db, wanted);
    const findings = wanted.flatMap((id, i) => {
      const text = texts[i] ?? null;
      return (text === null ? null : parseFinding(id, text)) ?? [];
    });
    yield { findings, idCount: all.length, tooLarge: all.length - wanted.length };
    from = to;
  }
}

function toReadBytes(size = 0): number {
  return size <= MOST_BYTES ? size : 0; // it is not read
}

/** Bytes of each finding; 0 of a hash, which only old programs stored, and small. */
async function readSizes({ redis, keys }: Db, ids: readonly string[]): Promise<number[]> {
  const chain = redis.pipeline();
  for (const id of ids) chain.strlen(keys.finding(id));
  return ((await chain.exec()) ?? []).map(([error, size]) => {
    if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error;
    return error === null ? Number(size) : 0;
  });
}

function countTerms(finding: StoredFinding, terms: readonly SearchTerm[]): number {
  const text = foldText(toSearchedText(finding));
  return terms.filter((term) => text.includes(term.text)).length;
}

/** What a finding says, a line for each text: a word of the JSON's own, such as `cost`, is in none of them. */
export function toSearchedText(finding: StoredFinding): string {
  const { finding_id: id, task, summary, session, batch, mission_id: mission, kind } = finding;
  const { topics, files_changed: files, citations } = finding;
  return [
    ...toTexts(finding.result),
    id,
    task,
    summary,
    session,
    batch,
    mission,
    kind,
    ...topics,
    ...files,
    ...citations,
  ].join('\n');
}

/** The texts, names and numbers of any JSON. Without recursion: it may be nested deeper than the stack. */
export function toTexts(value: unknown): string[] {
  const texts: string[] = [];
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) for (let i = next.length - 1; i >= 0; i -= 1) open.push(next[i] ?? null);
    else if (typeof next === 'object' && next !== null) {
      for (const [name, field] of Object.entries(next).toReversed()) open.push(field, name);
    } else if (typeof next === 'string') texts.push(next);
    else if (typeof next === 'number' || typeof next === 'boolean') texts.push(String(next));
  }
  return texts;
}

/** Keeps the best findings: as many for each count of matching terms as are asked for. Findings come newest first. */
class BestFindings {
  readonly #limit: number;
  readonly #byMatches: Map<string, FoundFinding>[];

  constructor(termCount: number, limit: number) {
    this.#limit = limit;
    this.#byMatches = Array.from({ length: termCount + 1 }, () => new Map());
  }

  /** Whether enough findings have all terms. */
  get isFull(): boolean {
    return (this.#byMatches.at(-1)?.size ?? 0) >= this.#limit;
  }

  add(finding: StoredFinding, matches: number): void {
    const kept = this.#byMatches[matches];
    if (matches === 0 || kept === undefined || kept.size >= this.#limit) return;
    kept.set(finding.finding_id, toFound(finding, matches)); // by id: one stored meanwhile moves the others on, to be read twice
  }

  list(): FoundFinding[] {
    return this.#byMatches
      .toReversed()
      .flatMap((kept) => [...kept.values()])
      .slice(0, this.#limit);
  }
}
