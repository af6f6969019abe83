import type { Usage } from '../../../queues/usage.ts';
import type { ArchiveUse } from './archive-use.ts';
import type { Unmetered } from './unmetered.ts';

/** The dimensions by which costs can be summed. */
export const REPORT_DIMENSIONS = [
  'session',
  'day',
  'batch',
  'mission',
  'vendor',
  'model',
  'worker',
  'client',
  'shard',
  'rule',
  'route',
] as const;
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
  /** The part of `calls` that free local models answered: they cost nothing a token. */
  freeLocalCalls: number;
  /** The librarians' part of `calls`, `usage` and `costNano`. The comparison with Sonnet leaves it out: it is no work of tasks. */
  archive: ArchiveUse;
  /** The cost of the same tokens, without the archive's, at the prices of the coordinator's model. */
  allSonnetNano: number;
  /** Saving against the coordinator's model for everything, percent, unrounded; negative: it cost more than that would have cost. */
  savedPercent: number;
  /** The part of `costNano` that was spent on tasks that failed or were handed back. */
  reworkNano: number;
  /** Count of failures of tasks that had cost something. */
  reworkTasks: number;
  /** The saving after rework: compares only work that ended in a finding. Null: money was spent, and no work ended in one. */
  effectiveSavedPercent: number | null;
  /** Work of outside workers, as they state it. No other sum holds it. */
  unmetered: Unmetered;
}

/** A report of costs. */
export interface CostReport {
  by: ReportDimension;
  /** Id of the model that the costs are compared with: the coordinator's. Sonnet, if nobody chose another. */
  sonnet: string;
  /** The same for people: `Sonnet`, or its id. */
  comparedWith: string;
  /** Days by date; other dimensions by cost, the highest first. */
  rows: CostRow[];
  total: CostRow;
}

/** One session of a list. */
export interface SessionSummary {
  name: string;
  /** Whether it is the one in force. */
  isCurrent: boolean;
  /** UTC days on which something was booked to it, the first and the last, `YYYY-MM-DD`. Null: nothing was. */
  firstDay: string | null;
  lastDay: string | null;
  /** Count of such days. */
  days: number;
  /** Tasks of it that stored a finding. */
  tasks: number;
  /** Findings of it that are in the archive. */
  findings: number;
  /** Booked cost: decimal dollars with six decimals. */
  costUsd: string;
  /** The same, nano-dollars, exact. */
  costNanoUsd: number;
}
