/** A budget: its limit and what is spent of it, nano-dollars. */
export interface BudgetState {
  /** Null: no limit is set. */
  limit: number | null;
  /** The booked cost of stored calls. */
  settled: number;
  /** The worst case of calls under way. */
  reserved: number;
  /** What calls may have cost that ended before their whole reply was stored. */
  uncertain: number;
}

/** The budget of one mission or batch. */
export interface OwnBudget extends BudgetState {
  scope: 'mission' | 'batch';
  name: string;
}

/** A budget: of a batch or mission by its name, or of a task by its job's id. Null: the budget of the day. */
export type BudgetScope = { batch: string } | { mission: string } | { task: string } | null;
