import type { BudgetState } from './budget-shape.ts';
import { readBudget } from './budget.ts';
import type { Db } from '../redis/db.ts';

/** The own budget of a mission or batch, as a list of them shows it. */
export interface OwnBudget extends BudgetState {
  scope: 'mission' | 'batch';
  name: string;
}

/** So many of the newest missions, and of the newest batches, are looked at. */
const NEWEST = 50;

/** The newest missions and batches that have a budget of their own, newest first. */
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
