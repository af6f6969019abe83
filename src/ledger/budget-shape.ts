/** What a budget allows and what of it is gone, nano-dollars. */
export interface BudgetState {
  /** Null: none is set. */
  limit: number | null;
  settled: number;
  /** Held for calls under way. */
  reserved: number;
  /** Calls killed before their answer was stored, at their worst case. */
  uncertain: number;
}
