import type { Effort } from '../../../queues/effort.ts';

/** One failed job. */
export interface FailedJob {
  id: string;
  /** The word that groups failures. */
  reason: string;
  /** What followed it: the rule that was broken, or the provider's words. */
  text: string;
  /** Of a question its text, of a mission its goal. */
  description: string;
  batch: string | null;
  /** Null where it was added without one. */
  session: string | null;
  /** UTC instant. */
  failedAt: string;
}

/** The failed jobs of one kind that have one reason. */
export interface FailedGroup {
  reason: string;
  count: number;
  /** Newest first. */
  examples: FailedJob[];
  /** What a person can do about it: a command line, or words before one. */
  repair: string;
}

/** What a job does. `job`: it waits for ever, because a child of another program's flow has failed. */
type JobKind = 'task' | 'question' | 'mission' | 'job';

/** One group of `listFailed`. */
export interface FailedKind extends FailedGroup {
  kind: JobKind;
}

export interface FailedFilter {
  /** Only tasks of this batch. Questions and missions belong to none. */
  batch?: string;
  session?: string;
  reason?: string;
}

export interface FailuresOptions extends FailedFilter {
  /** True: first yields the jobs that have failed already, the oldest first. Default false. */
  existing?: boolean;
  /** Ends the iteration when it fires. Leaving the loop ends it too. */
  signal?: AbortSignal;
}

/** What a person changes about a task before it runs again. Null: the task names none any more, and what holds for all tasks holds for it. */
export interface TaskEdit {
  /** Takes the place of the description. */
  description?: string;
  /** Added to the description, after an empty line. */
  append?: string;
  /** Replaces the whole task, and needs exactly one id; the stamps of queue and batch stay. */
  data?: unknown;
  model?: string | null;
  /** Most model calls of the new run. */
  maxTurns?: number | null;
  /** How much the model thinks. */
  effort?: Effort | null;
  /** Budget of the task alone, US dollars: 0.000000001 to 1,000,000. What earlier runs have cost counts against it. */
  budgetUsd?: number;
}

/**
 * Which failed jobs are retried: named ones, or the tasks of a batch, of a reason, or of both. Those that a person cancelled are
 * chosen only by their ids or by `reason: 'cancelled'`.
 */
export interface RetrySelection {
  ids?: readonly string[];
  batch?: string;
  reason?: string;
  /** At most this many, the oldest failure first. Default: all. */
  first?: number;
}

export interface RetryHow extends TaskEdit {
  /** Starts from the beginning: stored turns are not used again. Their cost stays booked. Default false. */
  fresh?: boolean;
  /** Checks everything and changes nothing. Default false. */
  dryRun?: boolean;
}

export interface RetryReport {
  /** Ids of the jobs that wait for a worker again; of a dry run: that would. */
  retried: string[];
  /** Those that cannot be retried, and why. */
  refused: { id: string; message: string }[];
  dryRun: boolean;
}
