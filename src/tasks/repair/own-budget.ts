import type { TaskInput } from '../../../queues/tasks.ts';
import { readLimit, setBudget } from '../../ledger/budget.ts';
import { toUsdString } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import { readRun } from '../../run-record/read-run.ts';
import { toBookedCost, toRecordedCost } from '../../run-record/booked-cost.ts';
import { toObject } from './edited-task.ts';
import type { TaskEdit } from './types.ts';

/** What an edit makes of the budget of the task alone. */
export interface BudgetEdit {
  usd: number;
  /** The limit in force until then, US dollars. Null: the task has no budget of its own. */
  beforeUsd: number | null;
}

/**
 * @param data of the job, before the edit
 * @returns null: the edit leaves the limit in force, which a person may have set since
 */
export async function readBudgetEdit(
  db: Db,
  id: string,
  { data, edited, edit }: { data: unknown; edited: TaskInput; edit: TaskEdit },
): Promise<BudgetEdit | null> {
  const { budget_usd: usd } = edited;
  const { budget_usd: asked } = toObject(data);
  if (usd === undefined || (edit.budgetUsd === undefined && usd === asked)) return null;
  if (typeof asked !== 'number') return { usd, beforeUsd: null };
  const limit = await readLimit(db, { task: id });
  return { usd, beforeUsd: limit === null ? asked : Number(toUsdString(limit, 9)) };
}

/** Sets the limit. A task's first own budget begins with what the task has cost: no call was booked to it before. */
export async function setOwnBudget(db: Db, id: string, { usd, beforeUsd }: BudgetEdit): Promise<void> {
  await setBudget(db, usd, { task: id }, beforeUsd === null ? { spent: await readCost(db, id) } : {});
}

/** What the job has cost so far, nano-dollars: by its books; if they have expired, by its record, or by an earlier budget. */
async function readCost(db: Db, id: string): Promise<number> {
  const { redis, keys } = db;
  const [totals, entries, settled] = await Promise.all([
    redis.hget(keys.turns(id), 'totals'),
    readRun(db, id),
    redis.hget(keys.spend(`task:${id}`), 'settled'),
  ]);
  return Math.max(toBookedCost(totals) ?? toRecordedCost(entries) ?? 0, toStoredCount(settled));
}
