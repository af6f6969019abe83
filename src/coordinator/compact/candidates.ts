import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { toSummaryId } from '../../findings/condensed.ts';
import type { Candidate } from './groups.ts';
import type { CompactParts } from './types.ts';
import { toPromptBlock } from './summary.ts';

/** Findings of one read. */
const PAGE = 200;
/** Findings of which no summary could be made are left out for this long. */
const LEAVE_OUT_MS = 24 * 3_600_000;

/** An entry of the index of live findings. */
interface Entry {
  id: string;
  /** Instant of the finding, ms since 1970. */
  foundAt: number;
}

/**
 * Finds the oldest live findings that may be compacted, without those of the current session and those refused within the
 * last day. Answers and retracted findings are not live.
 * @param options.summaries whether to include summaries: only if no other finding is left
 */
export async function findCandidates(
  parts: CompactParts,
  options: { session: string; most: number; summaries: boolean },
): Promise<Candidate[]> {
  const { now } = parts;
  const { redis, keys } = parts.db;
  const { session, most, summaries } = options;
  const candidates: Candidate[] = [];
  await redis.zremrangebyscore(keys.uncondensed, '-inf', now().getTime() - LEAVE_OUT_MS);
  const sessionBeganAt = Date.parse((await redis.hget(keys.session, 'startedAt')) ?? '');
  for (let from = 0; candidates.length < most; from += PAGE) {
    const page = await readIndex(parts, from);
    if (page.length === 0) break;
    const entries = await leaveOut(parts, page, session);
    const texts = await readFindingTexts(
      parts.db,
      entries.map(({ id }) => id),
    );
    for (const [i, { id, foundAt }] of entries.entries()) {
      const text = texts[i] ?? null;
      const finding = text === null ? null : parseFinding(id, text);
      if (text === null || finding === null || finding.session === session || toSummaryId(text) !== null) continue;
      // A finding that another program stored without a session during the current one counts as the current session's.
      if ((finding.session ?? '') === '' && foundAt >= sessionBeganAt) continue;
      if (!summaries && finding.kind === 'summary') continue;
      if (finding.vendors !== undefined) continue; // what may not be sent everywhere stays as it is
      const bytes = Buffer.byteLength(toPromptBlock(finding));
      candidates.push({ id, foundAt, session: finding.session ?? '', shard: finding.shard ?? '', bytes });
    }
  }
  return candidates.slice(0, most);
}

/** Reads one page of the index of live findings, oldest first. */
async function readIndex({ db: { redis, keys } }: CompactParts, from: number): Promise<Entry[]> {
  const page = await redis.zrange(keys.index, from, String(from + PAGE - 1), 'WITHSCORES');
  return page.flatMap((id, i) => (i % 2 === 0 ? [{ id, foundAt: Number(page[i + 1]) }] : []));
}

/** The entries without those of the current session and those refused within the last day. */
async function leaveOut({ db: { redis, keys } }: CompactParts, page: Entry[], session: string): Promise<Entry[]> {
  const ids = page.map(({ id }) => id);
  const [current, refused] = await Promise.all([
    redis.zmscore(keys.indexBySession(session), ...ids),
    redis.zmscore(keys.uncondensed, ...ids),
  ]);
  return page.filter((_, i) => current[i] === null && refused[i] === null);
}
