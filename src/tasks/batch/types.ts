import type { TaskInput } from '../../../queues/tasks.ts';
import type { Enqueued } from '../types.ts';

export interface BatchOptions {
  /** Name of the batch; its tasks are `<batch>-<line>`, so that adding the same lines again adds only missing ones. Default: none, random ids. */
  batch?: string;
  /** Own budget of the batch; reaching it parks its jobs. Needs a name. */
  budgetUsd?: number;
  /** At most this many tasks are added in this call; lines that are there already do not count. */
  limit?: number;
  /** Checks everything and adds nothing. */
  dryRun?: boolean;
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
  failed: number;
  settledNanoUsd: number;
  uncertainNanoUsd: number;
  limitNanoUsd: number | null;
}
