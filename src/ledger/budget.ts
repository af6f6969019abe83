import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { toNanoUsd } from './money.ts';

/** The day's budget of a swarm nobody gave one: five dollars. */
export const DEFAULT_BUDGET_NANO_USD = 5_000_000_000;

/** Seeds the day's budget of a new swarm; a budget that is already there stays. @returns the limit in force, nano-dollars */
export async function seedBudget(redis: Redis, keys: Keys, usd: number | undefined): Promise<number> {
  const seed = usd === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(usd);
  await redis.hsetnx(keys.budget, 'day', seed);
  return Number(await redis.hget(keys.budget, 'day'));
}

/** @param scope null: the day's; else the own budget of one batch or mission */
export async function setBudget(
  redis: Redis,
  keys: Keys,
  usd: number,
  scope: { batch: string } | { mission: string } | null,
): Promise<void> {
  const nano = toNanoUsd(usd);
  if (scope === null) await redis.hset(keys.budget, 'day', nano);
  else
    await redis.hset(keys.spend('batch' in scope ? `batch:${scope.batch}` : `mission:${scope.mission}`), 'limit', nano);
}
