import type { TaskInput } from '../../../queues/tasks.ts';
import type { AwaitedReason } from '../../jobs/wake/reason.ts';
import type { Enqueued } from '../types.ts';

export interface BatchOptions {
  /** Name of the batch; its tasks are `<batch>-<line>`, so that adding the same lines again adds only missing ones. Default: none, random ids. */
  batch?: string;
  /** Own budget of the batch; reaching it parks its jobs. Needs a name. */
  budgetUsd?: number | string;
  /** Memory shard of the tasks that name none. Default: none. */
  shard?: string;
  /** At most this many tasks are added in this call; lines that are there already do not count. */
  limit?: number;
  /** Checks everything and adds nothing. */
  dryRun?: boolean;
  /** Ends the loading between two chunks: it throws the signal's reason. Tasks that were added remain. */
  signal?: AbortSignal;
  /** Called after each chunk. */
  onProgress?: (progress: BatchProgress) => void;
  /** Called for each entry that breaks a rule. The other entries are added. */
  onInvalid?: (line: number, message: string) => void;
  /** Called for each valid entry, in order of the lines, between the calls of `onInvalid`. With it, the report holds no ids. */
  onTask?: (line: number, task: BatchTask) => void;
}

/** What became of one valid entry. */
export interface BatchTask extends Enqueued {
  input: TaskInput;
}

export interface BatchProgress {
  /** Lines, blank and bad ones included. */
  read: number;
  added: number;
  existing: number;
  invalid: number;
}

export interface BatchReport extends BatchProgress {
  batch: string | null;
  /** Job ids of the tasks that were added or existed, in order; empty if `onTask` is given. */
  ids: string[];
  /** The first hundred entries that broke a rule, by their 1-based place. */
  problems: { line: number; message: string }[];
}

/** How far a batch is. Money in nano-dollars. */
export interface BatchState {
  batch: string;
  session: string;
  createdAt: string;
  /** Lines read of its file so far, bad ones included. */
  lines: number;
  /** Tasks enqueued. */
  tasks: number;
  /** With a finding, the partial ones included. */
  completed: number;
  /** Of the completed ones: those whose worker ran out of turns. */
  partial: number;
  /** Of the completed ones: those in which a tool call failed. */
  toolErrors: number;
  /** Without the cancelled ones. */
  failed: number;
  /** Those that a person cancelled. */
  cancelled: number;
  /** Of the others: those that wait for a higher budget, or for a person who set their mission aside. */
  parked: number;
  /** Of the others: the delayed ones, by what wakes them. */
  waits: AwaitedReason[];
  /** By the findings of the last five minutes; null while it is not known, and where nothing is to be done. */
  pace: BatchPace | null;
  settledNanoUsd: number;
  /** Count of the calls of free local models. Absent: none. */
  freeLocal?: number;
  uncertainNanoUsd: number;
  limitNanoUsd: number | null;
}

/** How fast a batch is, by the findings of its last minutes. */
export interface BatchPace {
  perMinute: number;
  /** Until the open tasks are done at this rate, ms. */
  leftMs: number;
}

/** One batch of a list. Money: `…Usd` is decimal dollars with six decimals, `…NanoUsd` the same, exact. */
export interface BatchSummary {
  batch: string;
  session: string;
  /** UTC instant at which it was first loaded. */
  createdAt: string;
  /** UTC instant of its newest finding; null: there is none. */
  lastFindingAt: string | null;
  /** `loading`: its file is being added. `parked`: all that is open waits for a person or a higher budget. */
  state: 'loading' | 'running' | 'parked' | 'done';
  /** Tasks enqueued. */
  tasks: number;
  /** With a finding, the partial ones included. */
  completed: number;
  /** Without the cancelled ones. */
  failed: number;
  /** A person ended them. */
  cancelled: number;
  /** Not ended. */
  open: number;
  /** Of the open ones: those that wait for a person or a higher budget. */
  parked: number;
  /** By the findings of the last five minutes, of the open tasks that are not parked; null while it is not known. */
  pace: BatchPace | null;
  spentUsd: string;
  spentNanoUsd: number;
  /** What calls may have cost that ended before their whole reply was stored; not in `spent…`. */
  uncertainNanoUsd: number;
  /** Its own budget; null: it has none. */
  budgetUsd: string | null;
  budgetNanoUsd: number | null;
}

export interface BatchListOptions {
  /** True: also those that ended more than a day ago. Default false: those that run, and those of the last day. */
  all?: boolean;
}
