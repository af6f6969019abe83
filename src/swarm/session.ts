import { noteChange } from '../audit/note-change.ts';
import { UsageError } from '../errors.ts';
import { toLocalDay } from '../findings/timestamp.ts';
import type { Db } from '../redis/db.ts';
import type { SessionState } from './types.ts';

/** How long a process may use the session that it read last. */
const KNOWN_FOR_MS = 2_000;

/**
 * Starts the session of this name, unless it is in force already.
 * @param name empty: keeps the session that a person named; without one, uses the session of the day
 * @returns the name of the session in force
 */
export async function beginSession({ keys, scripts, clock }: Db, name: string): Promise<string> {
  const now = clock.date();
  return scripts['current-session'](
    {
      session: keys.session,
      costs: keys.costs,
      costOther: keys.cost('other'),
      booked: keys.booked,
      totals: keys.sessionTotals(name === '' ? toLocalDay(now) : name),
    },
    [toLocalDay(now), now.toISOString(), name],
  );
}

/** Reads the session in force; asks Redis at most every two seconds. */
export function createSessionReader(db: Db): () => Promise<string> {
  let known: { name: string; readAt: number } | null = null;
  return async () => {
    if (known === null || performance.now() - known.readAt > KNOWN_FOR_MS) {
      known = { name: await beginSession(db, ''), readAt: performance.now() };
    }
    return known.name;
  };
}

/** @throws UsageError for a name that no key can hold */
export function assertSessionName(name: string): void {
  if (/^[^\s:{}]{1,100}$/.test(name)) return;
  throw new UsageError(`session: expected a name without white space, colon or brace, got ${JSON.stringify(name)}`);
}

/** Reads the session in force. */
export async function readSession(db: Db): Promise<SessionState> {
  return readState(db, await beginSession(db, ''));
}

/**
 * Starts the session of this name. @returns `hasBegun` false: it was in force already, and nothing is changed
 * @throws UsageError for a wrong name
 */
export async function startSession(db: Db, name: string): Promise<{ session: SessionState; hasBegun: boolean }> {
  assertSessionName(name);
  const before = await db.redis.hget(db.keys.session, 'name');
  const session = await beginSession(db, name);
  const hasBegun = before !== session;
  if (hasBegun) await noteChange(db, { what: 'session', before: { session: before }, after: { session } });
  return { session: await readState(db, session), hasBegun };
}

async function readState({ redis, keys }: Db, name: string): Promise<SessionState> {
  const { startedAt = '', findings = '0' } = await redis.hgetall(keys.session);
  return { name, startedAt, findings: Number(findings) };
}
