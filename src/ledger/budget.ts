import { toUtcDay } from '../findings/timestamp.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import type { BudgetScope, BudgetState, OwnBudget } from './budget-types.ts';

/** The day's budget of a new swarm if `FLEET_BUDGET_USD` is not set: five dollars. */
export const DEFAULT_BUDGET_NANO_USD = 5_000_000_000;

/** How many of the newest missions, and of the newest batches, `readOwnBudgets` reads. */
const NEWEST = 50;

/** Sets the day's budget of a new swarm. An existing budget is not changed. @returns the limit in force, nano-dollars */
export async function seedBudget({ redis, keys }: Db, usd: number | undefined): Promise<number> {
  const seed = usd === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(usd);
  await redis.hsetnx(keys.budget, 'day', seed);
  return Number(await redis.hget(keys.budget, 'day'));
}

export async function setBudget({ redis, keys }: Db, usd: number, scope: BudgetScope): Promise<void> {
  const nano = toNanoUsd(usd);
  if (scope === null) await redis.hset(keys.budget, 'day', nano);
  else await redis.hset(keys.spend(toScopeName(scope)), 'limit', nano);
}

export async function readBudget({ redis, keys }: Db, scope: BudgetScope, now: Date): Promise<BudgetState> {
  const name = scope === null ? `day:${toUtcDay(now)}` : toScopeName(scope);
  const spent = await redis.hgetall(keys.spend(name));
  const limit = scope === null ? await redis.hget(keys.budget, 'day') : (spent['limit'] ?? null);
  return {
    limit: limit === null ? null : Number(limit),
    settled: Number(spent['settled'] ?? 0),
    reserved: Number(spent['reserved'] ?? 0),
    uncertain: Number(spent['uncertain'] ?? 0),
  };
}

/** Reads the budgets of the newest missions and batches that have one: missions first, the newest first. */
export async function readOwnBudgets(db: Db, now: Date): Promise<OwnBudget[]> {
  const { redis, keys } = db;
  const [missions, batches] = await Promise.all([
    redis.zrevrange(keys.missions, 0, NEWEST - 1),
    redis.zrevrange(keys.batches, 0, NEWEST - 1),
  ]);
  const all = await Promise.all([
    ...missions.map(async (name): Promise<OwnBudget> => {
      return { scope: 'mission', name, ...(await readBudget(db, { mission: name }, now)) };
    }),
    ...batches.map(async (name): Promise<OwnBudget> => {
      return { scope: 'batch', name, ...(await readBudget(db, { batch: name }, now)) };
    }),
  ]);
  return all.filter((budget) => budget.limit !== null);
}

function toScopeName(scope: NonNullable<BudgetScope>): string {
  return Object.entries(scope).flat().join(':');
}
