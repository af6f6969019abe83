import { toLocalDay } from '../findings/timestamp.ts';
import type { Db } from '../redis/db.ts';

/** How long an enqueuer may go on with the session it knows, ms. */
const KNOWN_FOR_MS = 2_000;

/** Starts a session, unless it is the one in force; or answers the one in force when `name` is empty: the day's own where nobody named one. */
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

/** Answers the session in force, asking Redis at most every two seconds. */
export function createSessionReader(db: Db): () => Promise<string> {
  let known: { name: string; at: number } | null = null;
  return async () => {
    if (known === null || Date.now() - known.at > KNOWN_FOR_MS) {
      known = { name: await beginSession(db, ''), at: Date.now() };
    }
    return known.name;
  };
}
