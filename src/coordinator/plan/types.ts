import type { NameCounts } from './name-counts.ts';

/** The expected cost, quota and time of a plan. Money in nano-dollars. */
export interface MissionForecast {
  tasks: NameCounts;
  /** Of tasks and synthesis, and of the same tokens on the coordinator's model (`comparedWith`: `Sonnet`, or its id). `worst` uses what nine in ten similar tasks stayed below. It is no limit; the budget is. */
  cost: {
    likely: number;
    worst: number;
    allSonnet: number;
    comparedWith: string;
    synthesis: number;
    budgetLeft: number;
  };
  /** Questions to the archive in the plan, and calls that all shards have left today. Null: no shard is configured. */
  quota: { questions: number; leftToday: number } | null;
  time: {
    /** Tasks that run at once. `assumed`: no worker is up. */
    slots: number;
    assumed: boolean;
    longestChain: number;
    /** Time of one task, and of all. */
    taskMs: number;
    likelyMs: number;
  };
  /** The sources of the numbers, one sentence each. */
  basis: string[];
}
