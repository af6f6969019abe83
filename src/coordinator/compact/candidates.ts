import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { toSummaryId } from '../../findings/condensed.ts';
import type { Candidate } from './groups.ts';
import type { CompactParts } from './types.ts';
import { toPromptBlock } from './summary.ts';

/** Findings read at once. */
const PAGE = 200;
/** Findings no summary could be made of are passed over so long. */
const PASS_OVER_MS = 24 * 3_600_000;

/**
 * The oldest live findings that may be summed up: none of the session in force, none that was refused today. Answers and
 * retracted findings are not live.
 * @param options.summaries whether summaries are among them: only once nothing else is left
 */
export async function findCandidates(
  { db, now }: CompactParts,
  options: { session: string; most: number; summaries: boolean },
): Promise<Candidate[]> {
  const { redis, keys } = db;
  const { session, most, summaries } = options;
  const candidates: Candidate[] = [];
  const passOverAfter = now().getTime() - PASS_OVER_MS;
  await redis.zremrangebyscore(keys.uncondensed, '-inf', passOverAfter);
  // What another program stored without a session since this one began counts as its own.
  const beganAt = Date.parse((await redis.hget(keys.session, 'startedAt')) ?? '');
  for (let from = 0; candidates.length < most; from += PAGE) {
    const page = await redis.zrange(keys.index, from, String(from + PAGE - 1), 'WITHSCORES');
    if (page.length === 0) break;
    const ids = page.filter((_, at) => at % 2 === 0);
    const [current, refused] = await Promise.all([
      redis.zmscore(keys.indexBySession(session), ...ids),
      redis.zmscore(keys.uncondensed, ...ids),
    ]);
    const wanted = ids.flatMap((id, at) =>
      current[at] === null && refused[at] === null ? [{ id, at: Number(page[2 * at + 1]) }] : [],
    );
    const texts = await readFindingTexts(
      db,
      wanted.map(({ id }) => id),
    );
    for (const [i, { id, at }] of wanted.entries()) {
      const text = texts[i] ?? null;
      const finding = text === null ? null : parseFinding(id, text);
      if (text === null || finding === null || finding.session === session || toSummaryId(text) !== null) continue;
      if ((finding.session ?? '') === '' && at >= beganAt) continue;
      if (!summaries && finding.kind === 'summary') continue;
      const bytes = Buffer.byteLength(toPromptBlock(finding));
      candidates.push({ id, at, session: finding.session ?? '', bytes });
    }
  }
  return candidates.slice(0, most);
}
