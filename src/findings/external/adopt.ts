import { QUERY_PREFIX } from '../../../queues/ids.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { parseFinding, toStoredTokens, readStoredTexts, type AdoptedFacts } from '../stored.ts';
import { toLocalDay } from '../timestamp.ts';
import { noteOldWorkers } from './old-workers.ts';
import type { StoredFinding } from '../types.ts';

/** Keys looked at in one SCAN step, and ids in one command. */
const PAGE = 1_000;

/**
 * Adopts findings that other programs stored: adds each once to index, counts and event stream. One without a session or a time
 * gets the session in force, or the time, at which it is first seen: `keys.adopted` holds it, and what is stored stays as it is. A key that holds no finding
 * is counted as unreadable, and the next search reads it again.
 * @returns how many were adopted
 */
export async function adoptExternal(db: Db, ids: readonly string[]): Promise<number> {
  const unknown = await findUnknown(db, ids);
  if (unknown.length === 0) return 0;
  const texts = await readStoredTexts(db, unknown);
  const seen = await readSeen(db);
  const outcomes = await Promise.all(unknown.map((id, i) => adoptOne(db, { id, text: texts[i] ?? null, seen })));
  const workers = texts.map(
    (text, i) => (text === null ? null : parseFinding(unknown[i] ?? '', text))?.worker_id ?? '',
  );
  await noteOldWorkers(db, workers);
  return outcomes.filter((outcome) => outcome === 'adopted').length;
}

/** Adopts what is under all finding keys: also what was never announced, or announced while no process listened. */
export async function adoptAllExternal(db: Db): Promise<number> {
  const { redis, keys } = db;
  const prefix = keys.finding('');
  let cursor = '0';
  let adopted = 0;
  await adoptUndated(db);
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
    const rest = page.filter((_, i) => !isDated(live[i])); // most announced findings are the fleet's own, and live
    if (rest.length === 0) continue;
    const [answers, aliases, condensed, retracted] = await Promise.all([
      redis.zmscore(keys.indexAnswers, ...rest),
      redis.hmget(keys.aliases, ...rest),
      redis.zmscore(keys.indexCondensed, ...rest), // after `index`: a finding moves from there to here
      redis.hmget(keys.retracted, ...rest),
    ]);
    unknown.push(
      ...rest.filter((_, i) => !isDated(answers[i]) && (aliases[i] ?? condensed[i] ?? retracted[i] ?? null) === null),
    );
  }
  return unknown;
}

/** An older version adopted findings without a time as those of 1970, and of no session. */
function isDated(score: string | null | undefined): boolean {
  return score !== null && score !== undefined && Number(score) !== 0;
}

/** Adopts again what an older version adopted without a time. */
async function adoptUndated(db: Db): Promise<void> {
  const { redis, keys } = db;
  for (const index of [keys.index, keys.indexAnswers]) {
    await adoptExternal(db, await redis.zrangebyscore(index, '0', '0', 'LIMIT', 0, PAGE));
  }
}

/** When findings are seen, and in which session. */
interface Seen {
  at: string;
  session: string;
  sessionBeganAt: number;
}

async function readSeen({ redis, keys, clock }: Db): Promise<Seen> {
  const now = clock.date();
  const [name = null, explicit = null, began = null] = await redis.hmget(keys.session, 'name', 'explicit', 'startedAt');
  const today = toLocalDay(now); // the session of a new day begins with its first task
  return {
    at: now.toISOString(),
    session: name !== null && (explicit === '1' || name >= today) ? name : today,
    sessionBeganAt: Date.parse(began ?? ''),
  };
}

async function adoptOne(
  { redis, keys, scripts }: Db,
  { id, text, seen }: { id: string; text: string | null; seen: Seen },
): Promise<string> {
  if (text === null) return 'gone';
  const finding = parseFinding(id, text);
  if (finding === null) {
    await redis.sadd(keys.unreadable, id);
    return 'unreadable';
  }
  await redis.srem(keys.unreadable, id);
  const { session: ownSession, batch, shard } = toNames(finding);
  const parsedAt = Date.parse(finding.at);
  const hasTime = parsedAt !== 0; // what has none was parsed as the beginning of 1970
  const facts: AdoptedFacts = {
    ...(ownSession === '' ? { session: seen.session } : {}),
    ...(hasTime ? {} : { at: seen.at }),
  };
  const session = ownSession === '' ? seen.session : ownSession;
  const storedAt = hasTime ? parsedAt : Date.parse(seen.at);
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
      byShard: keys.indexByShard(shard),
      adopted: keys.adopted,
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
        storedAt >= seen.sessionBeganAt ? '1' : '0',
        shard,
        JSON.stringify(facts),
      ]),
    ],
  );
}

/** Another program may have stored any type there. */
function toNames(finding: StoredFinding): { session: string; batch: string; shard: string } {
  const name = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { session: name(finding.session), batch: name(finding.batch), shard: name(finding.shard) };
}
