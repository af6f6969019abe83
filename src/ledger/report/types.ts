import type { Usage } from '../../../queues/usage.ts';

/** The dimensions by which costs can be summed. */
export const REPORT_DIMENSIONS = ['session', 'day', 'batch', 'mission', 'model', 'worker'] as const;
export type ReportDimension = (typeof REPORT_DIMENSIONS)[number];

/** Costs of one value of the dimension. Money in nano-dollars. */
export interface CostRow {
  /** The value. Null: costs without a value, such as calls outside any batch. */
  name: string | null;
  calls: number;
  tasks: number;
  usage: Usage;
  costNano: number;
  /** List price of the free calls. They are billed at nothing, and no other sum holds this. */
  freeListNano: number;
  /**
   * What the provider's cache saved, at list prices: `usage.cache_read` at the price of fresh input, less what reads and writes
   * (`usage.cache_write`) cost. Negative: more was written than read again.
   */
  cacheSavedNano: number;
  /** The cost of the same tokens at the prices of Sonnet. */
  allSonnetNano: number;
  /** Saving against all Sonnet, percent, unrounded; negative: it cost more than Sonnet would have cost. */
  savedPercent: number;
  /** The part of `costNano` that was spent on tasks that failed or were handed back. */
  reworkNano: number;
  /** Count of failures of tasks that had cost something. */
  reworkTasks: number;
  /** The saving after rework: compares only work that ended in a finding. Null: money was spent, and no work ended in one. */
  effectiveSavedPercent: number | null;
}

/** A report of costs. */
export interface CostReport {
  by: ReportDimension;
  /** Id of the Sonnet model that the costs are compared with. */
  sonnet: string;
  /** Days by date; other dimensions by cost, the highest first. */
  rows: CostRow[];
  total: CostRow;
}
