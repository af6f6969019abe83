import { QUERY_PREFIX } from '../../../queues/ids.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { parseFinding, toStoredTokens, readFindingTexts } from '../stored.ts';
import type { StoredFinding } from '../types.ts';

/** Keys looked at in one SCAN step, and ids in one command. */
const PAGE = 1_000;

/**
 * Adopts findings that other programs stored: adds each once to index, counts and event stream. A key that holds no finding
 * is counted as unreadable, and the next search reads it again.
 * @returns how many were adopted
 */
export async function adoptExternal(db: Db, ids: readonly string[]): Promise<number> {
  const unknown = await findUnknown(db, ids);
  if (unknown.length === 0) return 0;
  const texts = await readFindingTexts(db, unknown);
  const sessionBeganAt = Date.parse((await db.redis.hget(db.keys.session, 'startedAt')) ?? '');
  const outcomes = await Promise.all(
    unknown.map((id, i) => adoptOne(db, { id, text: texts[i] ?? null, sessionBeganAt })),
  );
  return outcomes.filter((outcome) => outcome === 'adopted').length;
}

/** Adopts what is under all finding keys: also what was never announced, or announced while no process listened. */
export async function adoptAllExternal(db: Db): Promise<number> {
  const { redis, keys } = db;
  const prefix = keys.finding('');
  let cursor = '0';
  let adopted = 0;
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', PAGE);
    cursor = next;
    if (found.length > 0) {
      adopted += await adoptExternal(
        db,
        found.map((key) => key.slice(prefix.length)),
      );
    }
  } while (cursor !== '0');
  return adopted;
}

async function findUnknown({ redis, keys }: Db, ids: readonly string[]): Promise<string[]> {
  const unknown: string[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE).filter((id) => id !== '');
    if (page.length === 0) continue;
    const live = await redis.zmscore(keys.index, ...page);
    const rest = page.filter((_, i) => (live[i] ?? null) === null); // most announced findings are the fleet's own, and live
    if (rest.length === 0) continue;
    const [answers, condensed, retracted] = await Promise.all([
      redis.zmscore(keys.indexAnswers, ...rest),
      redis.zmscore(keys.indexCondensed, ...rest), // after `index`: a finding moves from there to here
      redis.hmget(keys.retracted, ...rest),
    ]);
    unknown.push(...rest.filter((_, i) => (answers[i] ?? condensed[i] ?? retracted[i] ?? null) === null));
  }
  return unknown;
}

async function adoptOne(
  { redis, keys, scripts }: Db,
  { id, text, sessionBeganAt }: { id: string; text: string | null; sessionBeganAt: number },
): Promise<string> {
  if (text === null) return 'gone';
  const finding = parseFinding(id, text);
  if (finding === null) {
    await redis.sadd(keys.unreadable, id);
    return 'unreadable';
  }
  await redis.srem(keys.unreadable, id);
  const { session, batch } = toNames(finding);
  const parsedAt = Date.parse(finding.at);
  const storedAt = Number.isNaN(parsedAt) ? 0 : parsedAt;
  return scripts['adopt-finding'](
    {
      finding: keys.finding(id),
      index: keys.index,
      answers: keys.indexAnswers,
      retracted: keys.retracted,
      condensed: keys.indexCondensed,
      contextActive: keys.contextActive,
      session: keys.session,
      events: keys.events,
      counters: keys.counters,
      bySession: keys.indexBySession(session),
      ...(batch === '' ? {} : { byBatch: keys.indexByBatch(batch) }),
    },
    [
      toWellFormedJson([
        id,
        String(storedAt),
        String(toStoredTokens(text)),
        session,
        batch,
        finding.topics.join(','),
        id.startsWith(QUERY_PREFIX) ? '1' : '0',
        storedAt >= sessionBeganAt ? '1' : '0',
      ]),
    ],
  );
}

/** Another program may have stored any type there. */
function toNames(finding: StoredFinding): { session: string; batch: string } {
  const name = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { session: name(finding.session), batch: name(finding.batch) };
}
