import { toLocalDay } from '../findings/timestamp.ts';
import type { Db } from '../redis/db.ts';

/** How long a process may use the session that it read last. */
const KNOWN_FOR_MS = 2_000;

/**
 * Starts the session of this name, unless it is in force already.
 * @param name empty: keeps the session that a person named; without one, uses the session of the day
 * @returns the name of the session in force
 */
export async function beginSession({ keys, scripts }: Db, name: string): Promise<string> {
  const now = new Date();
  return scripts['current-session'](
    {
      session: keys.session,
      costHaiku: keys.cost('haiku'),
      costSonnet: keys.cost('sonnet'),
      costGemini: keys.cost('gemini'),
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
    if (known === null || Date.now() - known.readAt > KNOWN_FOR_MS) {
      known = { name: await beginSession(db, ''), readAt: Date.now() };
    }
    return known.name;
  };
}
