import { readAwaitedBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { parseMember, parseReasonName, type AwaitedReason } from './reason.ts';

/** Most reasons that are read, and most jobs of a reason that are looked at. */
export const MOST_REASONS = 50;
const MOST_LOOKED_AT = 20_000;

/** Counts the delayed jobs by what they wait for, most first: one round trip, and one more where some wait for money. @param names what `keys.waits` holds */
export async function readWaits(db: Db, names: readonly string[], now: number): Promise<AwaitedReason[]> {
  const { redis, keys } = db;
  if (names.length === 0) return [];
  const chain = redis.pipeline();
  for (const name of names) chain.zcount(keys.waitsFor(name), now, '+inf');
  const counts = ((await chain.exec()) ?? []).map(([, count]) => Number(count ?? 0));
  return withBudgets(db, toAwaited(names, counts));
}

/** The same of those jobs whose id passes. */
export async function readWaitsOf(db: Db, isWanted: (jobId: string) => boolean): Promise<AwaitedReason[]> {
  const { redis, keys, clock } = db;
  const names = await redis.zrange(keys.waits, '0', String(MOST_REASONS - 1));
  const counts: number[] = [];
  for (const name of names) {
    const members = await redis.zrangebyscore(keys.waitsFor(name), clock.now(), '+inf', 'LIMIT', 0, MOST_LOOKED_AT);
    counts.push(members.filter((member) => isWanted(parseMember(member).jobId)).length);
  }
  return withBudgets(db, toAwaited(names, counts));
}

function toAwaited(names: readonly string[], counts: readonly number[]): AwaitedReason[] {
  return names
    .flatMap((name, i) => {
      const reason = parseReasonName(name);
      const count = counts[i] ?? 0;
      return reason === null || count === 0 ? [] : [{ reason, count }];
    })
    .sort((a, b) => b.count - a.count);
}

/** Adds to each wait for money the budget that it is for. */
async function withBudgets(db: Db, waits: AwaitedReason[]): Promise<AwaitedReason[]> {
  return Promise.all(
    waits.map(async (wait) => {
      const { reason } = wait;
      const budget = reason.kind === 'money' ? await readAwaitedBudget(db, reason.scope, reason.name) : null;
      return budget === null ? wait : { ...wait, budget };
    }),
  );
}
