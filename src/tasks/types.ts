import type { StoredFinding } from '../findings/types.ts';
import type { JobEnd, JobState } from '../jobs/state/types.ts';

export type TaskState = JobState;

/** What became of one task that was to be enqueued. */
export interface Enqueued {
  id: string;
  /** False: a task of this id existed; nothing was added. */
  added: boolean;
  /** `waiting` if it was added, else the state of the existing task. */
  state: TaskState;
}

export interface WaitOptions {
  /** How long to wait at most, ms; default 10 minutes. */
  timeoutMs?: number;
  /** Ends the wait when it fires: it throws the signal's reason. The jobs are not affected. */
  signal?: AbortSignal;
}

/** Which jobs are cancelled: named ones, or the open tasks of a batch. Exactly one of the two. */
export interface CancelSelection {
  /** Ids of tasks, questions or missions. */
  ids?: readonly string[];
  batch?: string;
}

/** What a cancellation did. A running job ends at once, a waiting one as soon as a worker takes it. */
export interface CancelReport {
  /** Cancelled jobs, with the children of cancelled missions. */
  count: number;
  /** The named jobs that were cancelled; empty for a batch. */
  ids: string[];
  /** The named jobs that were not, and why: they have ended, or do not exist (`isMissing`). */
  refused: { id: string; message: string; isMissing: boolean }[];
}

/** One enqueued task, for the program that enqueued it. */
export interface TaskHandle<Result = unknown> extends Enqueued {
  /** Key suffix of the finding it will write. */
  findingId: string;
  /**
   * Waits for the finding; also while Redis is away, until the time is over. One connection serves all who wait.
   * @throws JobFailedError if the task fails, WaitTimeoutError if the time is over (the task continues), UsageError if
   *   neither a job nor a finding is left
   */
  finding(options?: WaitOptions): Promise<StoredFinding>;
  /**
   * The finding's result; of a typed task parsed by its output schema. Same errors as `finding`, and
   * ResultMismatchError if the result breaks a rule of the schema that JSON Schema cannot express.
   */
  result(options?: WaitOptions): Promise<Result>;
}

/** How one of several tasks ended. */
export type TaskEnd = JobEnd;
