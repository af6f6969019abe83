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
  /** Count of the calls of free local models. Absent: none. */
  freeLocal?: number;
}

/** The budget of one client, rule, mission or batch. */
export interface OwnBudget extends BudgetState {
  scope: 'client' | 'rule' | 'mission' | 'batch';
  name: string;
}

/** A budget: of a client, batch, mission or rule by its name, or of a task by its job's id. Null: the budget of the day. */
export type BudgetScope =
  | { client: string }
  | { batch: string }
  | { mission: string }
  | { rule: string }
  | { task: string }
  | null;
