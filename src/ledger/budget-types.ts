/** What a budget allows and what of it is used up, nano-dollars. */
export interface BudgetState {
  /** Null: none is set. */
  limit: number | null;
  settled: number;
  /** Held for calls under way. */
  reserved: number;
  /** The worst case of calls whose process was killed before their answer was stored. */
  uncertain: number;
}

/** The own budget of a mission or batch, as a list of them shows it. */
export interface OwnBudget extends BudgetState {
  scope: 'mission' | 'batch';
  name: string;
}

/** Whose budget: the own one of a batch, a mission or a task (by its job's id); null is the day's. */
export type BudgetScope = { batch: string } | { mission: string } | { task: string } | null;
