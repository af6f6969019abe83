import { NotFoundError, UsageError } from '../errors.ts';
import { readFindingTexts } from './read-texts.ts';
import { restoreFindings } from './restore-findings.ts';
import { parseFinding, type StoredFinding, toStoredTokens } from './stored.ts';
import { toSummaryId } from './condensed.ts';
import type { Db } from '../redis/db.ts';

export interface Retraction {
  id: string;
  why: string;
  by: string;
  /** UTC instant. */
  at: string;
  /** Findings that are live again, because the summary that stood for them is none any more; 0 for most. */
  restored: number;
}

const PAGE = 500;
/** Other programs may write the same finding at the same moment. */
const TRIES = 5;

/**
 * Takes a finding out of the archive: it stays readable, is marked, and no librarian is shown it again. Where a summary
 * stands for it, or it is one, the summary goes with it, and the other findings it stood for are live again.
 * @throws UsageError where there is none, or it is retracted already
 */
export async function retractFinding(db: Db, retraction: Omit<Retraction, 'at' | 'restored'>): Promise<Retraction> {
  const { redis, keys, scripts } = db;
  const { id, why, by } = retraction;
  const note = { why, by, at: new Date().toISOString() };
  let restored = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const [text] = await readFindingTexts(db, [id]);
    if (text === undefined || text === null) throw new NotFoundError(`finding ${id}: there is none`);
    const summaryId = toSummaryId(text);
    if (summaryId !== null) {
      const because = { ...note, why: `it stands for ${id}, which was retracted: ${why}` };
      restored += await restoreFindings(db, summaryId, because);
      continue;
    }
    if ((await redis.hexists(keys.retracted, id)) === 0 && isSummary(id, text)) {
      return { id, ...note, restored: restored + (await restoreFindings(db, id, note)) };
    }
    const answer = await scripts['retract-finding'](
      [keys.finding(id), keys.index, keys.retracted, keys.contextActive, keys.events],
      [id, JSON.stringify(note), toStoredTokens(text), text, toMarked(text, note)],
    );
    if (answer === 'retracted') return { id, ...note, restored: Math.max(0, restored - 1) }; // itself is not
    if (answer === 'already') throw new UsageError(`finding ${id}: it is retracted already`);
  }
  throw new UsageError(`finding ${id}: another program keeps writing it; try again`);
}

/** Answers of the archive that cited a finding, newest first. One page in memory at a time. */
export async function listAnswersCiting(db: Db, id: string): Promise<StoredFinding[]> {
  const { redis, keys } = db;
  const citing: StoredFinding[] = [];
  for (let from = 0; ; from += PAGE) {
    const ids = await redis.zrevrange(keys.indexAnswers, from, from + PAGE - 1);
    if (ids.length === 0) return citing;
    const texts = await readFindingTexts(db, ids);
    for (const [at, answerId] of ids.entries()) {
      const text = texts[at] ?? null;
      if (text === null || !text.includes(id)) continue;
      const answer = parseFinding(answerId, text);
      if (answer?.citations.includes(id) === true) citing.push(answer);
    }
  }
}

function isSummary(id: string, text: string): boolean {
  return parseFinding(id, text)?.kind === 'summary';
}

/** What cannot be read cannot be marked; it is noted as retracted all the same. */
function toMarked(text: string, note: object): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return text;
    return JSON.stringify({ ...value, status: 'retracted', retracted: note });
  } catch {
    return text;
  }
}
