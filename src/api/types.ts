import type { z } from 'zod';
import type { QuestionOptions } from '../../queues/archive.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import type { FleetMissions } from '../coordinator/mission/handle-types.ts';
import type { FleetFindings } from '../findings/types.ts';
import type { CostReport, ReportDimension } from '../ledger/report/types.ts';
import type { WorktreeReport } from '../patches/apply/clean/types.ts';
import type { ApplyOptions, PatchReport } from '../patches/apply/types.ts';
import type { PatchSelection } from '../patches/types.ts';
import type { PatchRecord } from '../patches/types.ts';
import type { StatusSnapshot } from '../status/types.ts';
import type { BatchOptions, BatchReport, BatchState } from '../tasks/batch/types.ts';
import type { TaskEnd, TaskHandle, WaitOptions } from '../tasks/types.ts';
import type { TypedTask } from './define-task.ts';

/** The options of a question. */
export interface AskOptions extends QuestionOptions {
  /** The query's id. A query that exists is reported, never asked again. Default: a new random id. */
  queryId?: string;
}

/**
 * One question to the archive. `finding()` returns the stored answer with its `citations`; `result()` returns its text, with
 * the ids of its sources in square brackets, or `NOT IN ARCHIVE`.
 */
export interface QueryHandle extends TaskHandle<string> {
  queryId: string;
}

/** The options of an added task. */
export interface AddOptions {
  /** The job's id. A task that exists is reported, never added again. Default: a new random id. */
  taskId?: string;
}

/** The options of a cost report. */
export interface CostOptions {
  /** The report has one row for each value of it. Default `session`. Days are UTC days. */
  by?: ReportDimension;
  /** Limits the report to these: `{ batch: 'nightly' }`. */
  only?: Partial<Record<ReportDimension, string>>;
}

/** Enqueues tasks, and waits for them. While the fleet is halted, tasks can be added and wait. */
export interface FleetTasks {
  /** @throws UsageError for a task that breaks a rule, RedisUnusableError within a second when Redis is away or full */
  add(task: TaskInput, options?: AddOptions): Promise<TaskHandle>;
  add<Input extends z.ZodType, Output extends z.ZodType>(
    task: TypedTask<Input, Output>,
    input: z.input<Input>,
    options?: AddOptions,
  ): Promise<TaskHandle<z.output<Output>>>;

  /**
   * Adds any number of tasks in chunks, with one chunk in memory. Invalid tasks are reported, all others are added.
   * @throws UsageError for options that break a rule; RedisUnusableError: tasks added before it remain
   */
  addMany(tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>, options?: BatchOptions): Promise<BatchReport>;
  addMany<Input extends z.ZodType, Output extends z.ZodType>(
    task: TypedTask<Input, Output>,
    inputs: Iterable<z.input<Input>> | AsyncIterable<z.input<Input>>,
    options?: BatchOptions,
  ): Promise<BatchReport>;

  /** Finds a task that this or another program added. Null where neither its job nor its finding exists. */
  get(id: string): Promise<TaskHandle | null>;
  get<Input extends z.ZodType, Output extends z.ZodType>(
    id: string,
    task: TypedTask<Input, Output>,
  ): Promise<TaskHandle<z.output<Output>> | null>;

  /**
   * Yields the end of each task, in the order in which they end: `for await (const end of fleet.tasks.ends(report.ids))`. A
   * failed task is yielded, too, and throws nothing. A task whose job was removed is found only if it has no `finding_id` of
   * its own.
   * @throws WaitTimeoutError when the timeout is over and some tasks have not ended
   */
  ends(ids: Iterable<string>, options?: WaitOptions): AsyncIterable<TaskEnd>;
}

/** What isolated tasks changed, and what becomes of it. Commands change the workspaces of this host, as FLEET_WORKSPACES names them. */
export interface FleetPatches {
  /** Lists the patches that wait: pending, or in conflict. Oldest first. */
  list(only?: { batch?: string; mission?: string }): Promise<PatchRecord[]>;
  /** @param id of the finding or the task. @returns null: there is no such patch */
  get(id: string): Promise<PatchRecord | null>;
  /** The text of a patch, as `git diff --binary` writes it. @returns null: it was too long, or is no longer kept. @throws UsageError for an unknown id */
  diff(id: string): Promise<Uint8Array | null>;
  /**
   * Applies patches, one commit each. What does not fit, or touches what the person changed, is left out and named in the report.
   * @throws UsageError for a wrong selection or an unknown id; nothing was changed
   */
  apply(options: ApplyOptions): Promise<PatchReport>;
  /**
   * Discards patches: their trees on this host and their branches go, their texts stay for seven days. An id may also be that of a
   * failed task, which left a tree on this host.
   * @throws UsageError for a wrong selection, an unknown id, or a task that still runs
   */
  discard(selection: PatchSelection): Promise<PatchReport>;
  /** Takes applied patches back, by one commit each. @param ids of findings or tasks. @throws UsageError for an unknown id */
  undo(ids: readonly string[]): Promise<PatchReport>;
  /** Lists the task trees on this host's disk. @param options.prune removes those whose whole content some commit keeps */
  worktrees(options?: { prune?: boolean }): Promise<WorktreeReport>;
}

/** A connected fleet, for scripts. Close it, or the process does not end. */
export interface Fleet {
  tasks: FleetTasks;
  /**
   * Asks the archive of all findings. The question waits for a librarian as a task waits for a worker.
   * @throws UsageError for a question that breaks a rule, RedisUnusableError within a second when Redis is away or full
   */
  ask(question: string, options?: AskOptions): Promise<QueryHandle>;
  missions: FleetMissions;
  findings: FleetFindings;
  patches: FleetPatches;
  /** The data of `fleet status`: findings, jobs and costs. */
  status(): Promise<StatusSnapshot>;
  /** The progress of a batch. @throws UsageError where no batch has this name */
  batch(name: string): Promise<BatchState>;
  /** The booked cost, and what the same tokens would have cost on Sonnet. Money in nano-dollars: `formatUsd`. @throws UsageError for an unknown dimension */
  costs(options?: CostOptions): Promise<CostReport>;
  /** Closes the connection. Pending waits throw a FleetError; the tasks are not affected. Safe to call twice. */
  close(): Promise<void>;
}
