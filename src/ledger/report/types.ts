import type { Usage } from '../../../queues/usage.ts';

/** What costs can be summed by. */
export const REPORT_DIMENSIONS = ['session', 'day', 'batch', 'mission', 'model', 'worker'] as const;
export type ReportDimension = (typeof REPORT_DIMENSIONS)[number];

export interface CostRow {
  /** Null: what belongs to none, such as calls outside any batch. */
  name: string | null;
  calls: number;
  tasks: number;
  usage: Usage;
  costNano: number;
  /** What the free calls among them would have cost: billed at nothing, in no sum. */
  freeListNano: number;
  /** The same tokens at the prices of the Sonnet model compared with. */
  allSonnetNano: number;
  /** Percent, unrounded; negative where it cost more than Sonnet would have. */
  savedPercent: number;
  /** Spent on tasks that failed or were handed back; in `costNano` already. */
  reworkNano: number;
  /** Failures of tasks that had cost something. */
  reworkTasks: number;
  /** The saving after rework: only work that ended in a finding is compared. Null: money was spent and nothing came of it. */
  effectiveSavedPercent: number | null;
}

export interface CostReport {
  by: ReportDimension;
  /** Id of the model compared with. */
  sonnet: string;
  /** Days by date, everything else the dearest first. */
  rows: CostRow[];
  total: CostRow;
}
