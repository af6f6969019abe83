import { toUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import { readLedger } from './report.ts';
import type { SessionSummary } from './types.ts';

/** Lists the sessions that something was booked to, and the one in force; the one of the newest day first. */
export async function listSessions(db: Db): Promise<SessionSummary[]> {
  const { redis, keys } = db;
  const current = await redis.hget(keys.session, 'name');
  const sessions = new Map<string, { days: Set<string>; tasks: number; nano: number }>();
  const of = (name: string) => {
    const session = sessions.get(name) ?? { days: new Set<string>(), tasks: 0, nano: 0 };
    sessions.set(name, session);
    return session;
  };
  if (current !== null) of(current);
  for (const { session, day, tasks, nano, unmetered } of await readLedger(db)) {
    if (session === null) continue;
    const sum = of(session);
    sum.days.add(day);
    sum.tasks += tasks + unmetered.tasks;
    sum.nano += nano;
  }
  const names = [...sessions.keys()];
  const counts = await countFindings(db, names);
  return names
    .map((name, i): SessionSummary => {
      const { days, tasks, nano } = of(name);
      const sorted = [...days].sort();
      return {
        name,
        isCurrent: name === current,
        firstDay: sorted[0] ?? null,
        lastDay: sorted.at(-1) ?? null,
        days: days.size,
        tasks,
        findings: counts[i] ?? 0,
        costUsd: toUsd(nano),
        costNanoUsd: nano,
      };
    })
    .sort(newestFirst);
}

async function countFindings({ redis, keys }: Db, sessions: readonly string[]): Promise<number[]> {
  const chain = redis.pipeline();
  for (const session of sessions) chain.zcard(keys.indexBySession(session));
  return ((await chain.exec()) ?? []).map(([, count]) => Number(count ?? 0)); // a key of another type reads as none
}

function newestFirst(a: SessionSummary, b: SessionSummary): number {
  if (a.isCurrent !== b.isCurrent) return a.isCurrent ? -1 : 1;
  return (b.lastDay ?? '').localeCompare(a.lastDay ?? '') || b.name.localeCompare(a.name);
}
