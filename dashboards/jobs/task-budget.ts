import { tasksQueue } from '../../queues/tasks.ts';
import { FleetError } from '../../src/errors.ts';
import type { BudgetState } from '../../src/ledger/budget-types.ts';
import { readBudget } from '../../src/ledger/budget.ts';
import { toNanoUsd } from '../../src/pricing/money.ts';
import type { Db } from '../../src/redis/db.ts';
import { parseRecord } from '../../src/redis/stored-record.ts';

/** The budget of a task alone. Null: it has none, so that none is asked; or its books are damaged, which the status names. */
export async function readTaskBudget(db: Db, id: string): Promise<BudgetState | null> {
  const { redis, keys } = db;
  const data = parseRecord(await redis.hget(keys.queueKey(tasksQueue.name, id), 'data'));
  const usd: unknown = Reflect.get(data ?? {}, 'budget_usd');
  if (typeof usd !== 'number') return null;
  try {
    const state = await readBudget(db, { task: id });
    return { ...state, limit: state.limit ?? toLimit(usd) }; // its first call stores the limit
  } catch (error) {
    if (error instanceof FleetError || (error instanceof Error && error.message.startsWith('WRONGTYPE'))) return null;
    throw error;
  }
}

/** Another program may have added the task, with any number. */
function toLimit(usd: number): number | null {
  try {
    return toNanoUsd(usd);
  } catch {
    return null;
  }
}
