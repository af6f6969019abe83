import { UsageError } from '../errors.ts';
import { readStored, toText } from './read-stored.ts';
import { parseFinding, toStoredTokens } from './stored.ts';
import { toSummaryId } from './condensed.ts';
import type { Db } from '../redis/db.ts';

/** Other programs may write the same finding at the same moment. */
const TRIES = 5;

/**
 * Takes a summary back: it is marked as retracted, and the findings it stands for are live again. A summary that was
 * itself summed up is taken out of there first.
 * @returns how many findings are live again
 * @throws UsageError where the summary is gone
 */
export async function restoreFindings(
  db: Db,
  summaryId: string,
  note: { why: string; by: string; at: string },
): Promise<number> {
  const { redis, keys } = db;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const text = await redis.get(keys.finding(summaryId));
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

async function restore(
  { redis, keys, scripts }: Db,
  { summaryId, text, note }: { summaryId: string; text: string; note: object },
): Promise<[answer: string, count?: number]> {
  const summary = parseFinding(summaryId, text);
  const ids = summary?.citations ?? [];
  const values = await readStored(
    redis,
    ids.map((id) => keys.condensed(id)),
  );
  const originals = ids.map((id, at) => {
    const value = values[at] ?? null;
    const original = value === null ? '' : toText(value);
    return { id, tokens: toStoredTokens(original), session: parseFinding(id, original)?.session ?? '' };
  });
  const answer = await scripts['restore-findings'](
    [
      keys.finding(summaryId),
      keys.index,
      keys.indexCondensed,
      keys.retracted,
      keys.contextActive,
      keys.events,
      ...originals.flatMap(({ id, session }) => [keys.finding(id), keys.condensed(id), keys.indexBySession(session)]),
    ],
    [
      JSON.stringify({
        id: summaryId,
        quoted: JSON.stringify(summaryId),
        note: JSON.stringify(note),
        tokens: String(toStoredTokens(text)),
        originals: originals.map(({ id, tokens, session }) => [id, String(tokens), session !== '']),
      }),
      text,
      JSON.stringify({ ...summary, status: 'retracted', retracted: note }),
    ],
  );
  return answer as [string, number?];
}
