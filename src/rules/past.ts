import { withOriginals } from '../findings/condensed.ts';
import { parseFinding, readFindingTexts } from '../findings/stored.ts';
import type { StoredFinding } from '../findings/types.ts';
import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import { hasFields, parseRecord } from '../redis/stored-record.ts';

/** Findings of one step. */
const PAST_PAGE = 500;

/** The indexes in which a rule looks for findings of the past, one after the other. */
const STAGES = ['index', 'condensed', 'arrivals'] as const;
type Stage = (typeof STAGES)[number];

/** How far a rule has looked through the indexes: a place that a crash leaves behind. */
export interface Past {
  /** Since when, ms. */
  from: number;
  stage: Stage;
  /** Instant of the index, ms, up to which it has looked. */
  at: number;
  /** Count of entries of this very instant that it has looked at: more of them than a page. */
  skip: number;
  /** Count of findings that it has looked at. */
  seen: number;
}

/** A finding that was read, with the id by which this swarm knows it. */
export interface SeenFinding {
  id: string;
  finding: StoredFinding;
}

/** The id by which this swarm knows a finding: of another swarm `ops/finding_…`. */
export function toKnownId(swarm: string | undefined, id: string): string {
  return swarm === undefined ? id : `${swarm}/${id}`;
}

/** @returns null: there is none, or it is damaged */
export function parsePast(text: string | undefined): Past | null {
  const past = parseRecord(text);
  if (!hasFields(past, { from: 'number', stage: 'string', at: 'number', skip: 'number', seen: 'number' })) return null;
  return STAGES.some((stage) => stage === past['stage']) ? (past as unknown as Past) : null;
}

/** Where a search of the findings since an instant begins. */
export function beginPast(from: number): Past {
  return { from, stage: 'index', at: from, skip: 0, seen: 0 };
}

/**
 * Reads the next page of the indexes by time: first the live findings, then those that were condensed meanwhile, then those whose
 * time does not tell when they came (imported ones, those of other programs). A finding may come twice.
 * @returns `next` null: there are no more
 */
export async function readPast(db: Db, past: Past): Promise<{ findings: SeenFinding[]; next: Past | null }> {
  const { redis, keys } = db;
  const index = toIndex(keys, past.stage);
  const flat = await redis.zrangebyscore(index, past.at, '+inf', 'WITHSCORES', 'LIMIT', past.skip, PAST_PAGE);
  const entries = Array.from({ length: flat.length / 2 }, (_, i) => ({
    id: flat[2 * i] ?? '',
    at: Number(flat[2 * i + 1]),
  }));
  const findings = await readSeen(
    db,
    entries.map(({ id }) => id),
  );
  return { findings, next: toNext(past, entries) };
}

/** Reads findings, in this order. Those that are gone, or no finding, are left out. */
export async function readSeen(db: Db, ids: readonly string[]): Promise<SeenFinding[]> {
  if (ids.length === 0) return [];
  const texts = await withOriginals(db, ids, await readFindingTexts(db, ids));
  return ids.flatMap((id, i) => {
    const text = texts[i] ?? null;
    const finding = text === null ? null : parseFinding(id, text);
    return finding === null ? [] : [{ id, finding }];
  });
}

function toNext(past: Past, entries: readonly { at: number }[]): Past | null {
  const seen = past.seen + entries.length;
  if (entries.length === PAST_PAGE) {
    const last = entries.at(-1)?.at ?? past.at;
    // The entries of the last instant may go on in the next page: it begins with them again.
    return { ...past, at: last, skip: last === past.at ? past.skip + entries.length : 0, seen };
  }
  const stage = STAGES[STAGES.indexOf(past.stage) + 1];
  return stage === undefined ? null : { ...past, stage, at: past.from, skip: 0, seen };
}

function toIndex(keys: Keys, stage: Stage): string {
  if (stage === 'index') return keys.index;
  return stage === 'condensed' ? keys.indexCondensed : keys.arrivals;
}
