import { toUtcDay } from '../findings/timestamp.ts';
import type { BudgetState } from './budget-shape.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';

/** The day's budget of a swarm nobody gave one: five dollars. */
export const DEFAULT_BUDGET_NANO_USD = 5_000_000_000;

/** Seeds the day's budget of a new swarm; a budget that is already there stays. @returns the limit in force, nano-dollars */
export async function seedBudget({ redis, keys }: Db, usd: number | undefined): Promise<number> {
  const seed = usd === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(usd);
  await redis.hsetnx(keys.budget, 'day', seed);
  return Number(await redis.hget(keys.budget, 'day'));
}

/** Whose budget: the own one of a batch, a mission or a task (by its job's id); null is the day's. */
export type BudgetScope = { batch: string } | { mission: string } | { task: string } | null;

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

function toScopeName(scope: NonNullable<BudgetScope>): string {
  return Object.entries(scope).flat().join(':');
}
