import { noteChange } from '../audit/note-change.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import {
  parseFinding,
  readAdopted,
  readFindingTexts,
  readOriginals,
  readStored,
  toStoredTokens,
  toStoredText,
  withFacts,
} from './stored.ts';
import { readFindingJson } from './read-json.ts';
import { isTooDeep } from '../text/json-depth.ts';
import type { StoredFinding } from './types.ts';
import { toSummaryId } from './condensed.ts';
import type { Db } from '../redis/db.ts';
import { readPublicText } from '../redis/public-text.ts';
import { exactly } from '../redis/connection/redacting.ts';
import { stringifyExact } from '../text/exact-json.ts';

export interface Retraction {
  id: string;
  why: string;
  by: string;
  /** UTC instant. */
  at: string;
  /** Count of findings that are live again, because the summary that replaced them is retracted too; 0 for most. */
  restored: number;
}

const PAGE = 500;
/** Other programs may write the same finding at the same moment. */
const TRIES = 5;

/**
 * Takes a finding out of the archive: it stays readable, is marked, and no librarian is shown it again. Where a summary
 * replaced it, or it is one, the summary is retracted too, and the other findings that it replaced are live again.
 * @throws UsageError where there is none, or it is retracted already
 */
export async function retractFinding(db: Db, retraction: Omit<Retraction, 'at' | 'restored'>): Promise<Retraction> {
  const done = await retract(db, retraction);
  const { id, why, restored } = done;
  await noteChange(db, {
    what: 'retract',
    about: { finding: id },
    before: { retracted: false },
    after: { retracted: true, why, ...(restored === 0 ? {} : { restored }) },
  });
  return done;
}

async function retract(db: Db, retraction: Omit<Retraction, 'at' | 'restored'>): Promise<Retraction> {
  const { redis, keys, scripts, clock } = db;
  const { id, why, by } = retraction;
  const note = { why, by, at: clock.date().toISOString() };
  let restored = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const [value = null] = await readStored(db, [id]);
    if (value === null) throw new NotFoundError(`finding ${id}: there is none`);
    const text = toStoredText(value);
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
      {
        finding: keys.finding(id),
        index: keys.index,
        retracted: keys.retracted,
        contextActive: keys.contextActive,
        events: keys.events,
      },
      [id, JSON.stringify(note), toStoredTokens(text), exactly(text), toMarked(text, note)],
    );
    if (answer === 'retracted') return { id, ...note, restored: Math.max(0, restored - 1) }; // without itself
    if (answer === 'already') throw new UsageError(`finding ${id}: it is retracted already`);
  }
  throw new UsageError(`finding ${id}: another program keeps writing it; try again`);
}

/**
 * Answers that cited a finding, newest first: those of the archive, and those of missions as long as their records are there. One page in
 * memory at a time.
 */
export async function listAnswersCiting(db: Db, id: string): Promise<StoredFinding[]> {
  const citing: StoredFinding[] = [];
  for (const page of [pageAnswers(db), pageMissions(db)]) {
    for await (const ids of page) {
      const texts = await readFindingTexts(db, ids);
      for (const [i, answerId] of ids.entries()) {
        const text = texts[i] ?? null;
        if (text === null || !text.includes(id)) continue;
        const answer = parseFinding(answerId, text);
        if (answer?.citations.includes(id) === true) citing.push(answer);
      }
    }
  }
  return citing.toSorted((a, b) => b.at.localeCompare(a.at));
}

/** Ids of the archive's answers. */
async function* pageAnswers({ redis, keys }: Db): AsyncGenerator<string[]> {
  for (let from = 0; ; from += PAGE) {
    const ids = await redis.zrevrange(keys.indexAnswers, from, from + PAGE - 1);
    if (ids.length === 0) return;
    yield ids;
  }
}

/** Ids of the findings of missions. No index has them alone: their records name them. */
async function* pageMissions({ redis, keys }: Db): AsyncGenerator<string[]> {
  for (let from = 0; ; from += PAGE) {
    const missions = await redis.zrevrange(keys.missions, from, from + PAGE - 1);
    if (missions.length === 0) return;
    const chain = redis.pipeline();
    for (const mission of missions) chain.hget(keys.mission(mission), 'finding');
    const replies = (await chain.exec()) ?? [];
    yield replies.flatMap(([, finding]) => (typeof finding === 'string' && finding !== '' ? [finding] : [])); // none of a damaged record
  }
}

function isSummary(id: string, text: string): boolean {
  return parseFinding(id, text)?.kind === 'summary';
}

/**
 * Returns the text with the mark. One that is no finding, or cannot be written again whole, is returned unchanged; the list of
 * retractions has it.
 */
function toMarked(text: string, note: object): string {
  const value = isTooDeep(text) ? null : readFindingJson(text);
  if (value === null) return text;
  const { status } = value;
  const before = typeof status === 'string' ? { original_status: status } : {};
  return stringifyExact({ ...value, status: 'retracted', ...before, retracted: note });
}

/**
 * Retracts a summary: the findings that it replaced are live again. If another summary has replaced it, that one is retracted
 * first.
 * @returns how many findings are live again
 * @throws UsageError if the summary no longer exists
 */
async function restoreFindings(
  db: Db,
  summaryId: string,
  note: { why: string; by: string; at: string },
): Promise<number> {
  const { redis, keys } = db;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const text = await readPublicText(redis, keys.finding(summaryId));
    if (text === null)
      throw new UsageError(`finding ${summaryId}: this summary is gone; what it stands for stays as it is`);
    const outer = toSummaryId(text);
    if (outer !== null) {
      await restoreFindings(db, outer, { ...note, why: `it stands for ${summaryId}: ${note.why}` });
      continue;
    }
    const [answer, count] = await restore(db, { summaryId, text, note });
    if (answer === 'restored') return Number(count);
    if (answer === 'already') return 0;
  }
  throw new UsageError(`finding ${summaryId}: another program keeps writing it; try again`);
}

async function restore(db: Db, { summaryId, text, note }: { summaryId: string; text: string; note: object }) {
  const { keys, scripts } = db;
  const summary = parseFinding(summaryId, text);
  const ids = summary?.citations ?? [];
  const shard = summary?.shard ?? ''; // of all of them: a summary is of one
  const values = await readOriginals(db, ids);
  const texts = values.map((value) => (value === null ? '' : toStoredText(value)));
  const facts = await readAdopted(db, ids, texts);
  const originals = ids.map((id, i) => {
    const original = texts[i] ?? '';
    const session = parseFinding(id, withFacts(original, facts[i] ?? null))?.session ?? '';
    return { id, tokens: toStoredTokens(original), session };
  });
  return scripts['restore-findings'](
    {
      summary: keys.finding(summaryId),
      index: keys.index,
      condensed: keys.indexCondensed,
      retracted: keys.retracted,
      contextActive: keys.contextActive,
      events: keys.events,
      byShard: keys.indexByShard(shard),
      originals: originals.flatMap(({ id, session }) => [
        keys.finding(id),
        keys.condensed(id),
        keys.indexBySession(session),
      ]),
    },
    [
      JSON.stringify({
        id: summaryId,
        quoted: JSON.stringify(summaryId),
        note: JSON.stringify(note),
        tokens: String(toStoredTokens(text)),
        shard,
        originals: originals.map(({ id, tokens, session }) => [id, String(tokens), session !== '']),
      }),
      exactly(text),
      stringifyExact({ ...summary, status: 'retracted', retracted: note }),
    ],
  );
}
