/// <reference lib="esnext.disposable" preserve="true" />
import type { z } from 'zod';
import type { QuestionOptions } from '../../queues/archive.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import type { AuditEntry, AuditOptions } from '../audit/types.ts';
import type { ContextInfo, StoredContext } from '../contexts/types.ts';
import type { FleetMissions } from '../coordinator/mission/handle-types.ts';
import type { FleetFindings } from '../findings/types.ts';
import type { Halt } from '../halt/types.ts';
import type { JobListOptions, ListedJob } from '../jobs/find/types.ts';
import type { BudgetScope } from '../ledger/budget-types.ts';
import type { CostReport, ReportDimension, SessionSummary } from '../ledger/report/types.ts';
import type { FleetOutside } from '../outside/types.ts';
import type { WorktreeReport } from '../patches/apply/clean/types.ts';
import type { ApplyOptions, PatchReport } from '../patches/apply/types.ts';
import type { PatchSelection } from '../patches/types.ts';
import type { PatchRecord } from '../patches/types.ts';
import type { AddRuleOptions, RuleInput, Rules, RuleState } from '../rules/types.ts';
import type { ShardState, StatusSnapshot } from '../status/types.ts';
import type { SessionState } from '../swarm/types.ts';
import type { BatchListOptions, BatchOptions, BatchReport, BatchState, BatchSummary } from '../tasks/batch/types.ts';
import type {
  FailedFilter,
  FailedJob,
  FailedKind,
  FailuresOptions,
  RetryHow,
  RetryReport,
  RetrySelection,
} from '../tasks/repair/types.ts';
import type { JobReport } from '../timeline/types.ts';
import type { ActivityEvent, ActivityOptions } from '../swarm/types.ts';
import type { CancelReport, CancelSelection, TaskEnd, TaskHandle, WaitOptions } from '../tasks/types.ts';
import type { TypedTask } from './given/define-task.ts';

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
  /** The task is to make `files` that its workspace does not have. Default false: such a task is refused, on the host of the workspace. */
  allowMissing?: boolean;
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

/** A budget: its limit and what is spent of it. `…Usd`: decimal dollars with six decimals; `…NanoUsd`: the same, exact. */
export interface BudgetReport {
  /** Null: no limit is set. */
  limitUsd: string | null;
  limitNanoUsd: number | null;
  /** The booked cost of stored calls. */
  settledUsd: string;
  settledNanoUsd: number;
  /** The worst case of calls under way. */
  reservedUsd: string;
  reservedNanoUsd: number;
  /** What calls may have cost that ended before their whole reply was stored. */
  uncertainUsd: string;
  uncertainNanoUsd: number;
  /** What calls may still cost; at least 0. Null: no limit is set. */
  leftUsd: string | null;
  leftNanoUsd: number | null;
  /** Of `set`: how many jobs that this budget had parked wait for a worker again. */
  released: number;
  /** The fleet is halted, because the budget of the day was reached; `resume` lifts it. */
  haltedForBudget: boolean;
}

/** Budgets. Without a scope: the budget of the UTC day, which halts the fleet; every other parks only its own jobs. */
export interface FleetBudget {
  /** @throws NotFoundError for a scope that does not exist */
  read(scope?: BudgetScope): Promise<BudgetReport>;
  /** @param limitUsd decimal dollars: `'2.50'`. @throws UsageError for what is no amount; NotFoundError for a scope that does not exist */
  set(limitUsd: string | number, scope?: BudgetScope): Promise<BudgetReport>;
}

/** The session: costs and findings count from its begin. */
export interface FleetSession {
  read(): Promise<SessionState>;
  /** Begins the session of this name, unless it is in force already. @throws UsageError for a wrong name */
  set(name: string): Promise<SessionState>;
}

/** Memory contexts: named documents that tasks can ask for. They never expire. */
export interface FleetContexts {
  /** Stores a document, or replaces the whole of it in one step. @throws UsageError for a wrong name or an empty text */
  load(name: string, text: string): Promise<ContextInfo>;
  /** Lists them by name. */
  list(): Promise<ContextInfo[]>;
  /** The document with its version. @returns null: there is none of this name */
  get(name: string): Promise<StoredContext | null>;
  /** @throws NotFoundError: there is none of this name */
  remove(name: string): Promise<void>;
}

/** The rules of the swarm: what they did, and what becomes of them. `fleet.when` adds one. */
export type FleetRules = Omit<Rules, 'add'>;

/** A connected fleet, for scripts. Close it, or the process does not end. */
export interface Fleet {
  tasks: FleetTasks;
  /**
   * Asks the archive of all findings. The question waits for a librarian as a task waits for a worker.
   * @throws UsageError for a question that breaks a rule, RedisUnusableError within a second when Redis is away or full
   */
  ask(question: string, options?: AskOptions): Promise<QueryHandle>;
  missions: FleetMissions;
  /**
   * Adds a rule: a finding that fits starts a task, also where nobody was up when it came. A rule that is the same already is returned as it is.
   * @throws UsageError for a rule that breaks a rule, and for a name that is taken: `replace` changes the rule of this name
   */
  when(name: string, rule: RuleInput, options?: AddRuleOptions): Promise<RuleState>;
  rules: FleetRules;
  findings: FleetFindings;
  patches: FleetPatches;
  /** For agents and programs that do tasks themselves: claim, renew, report, release, fail. */
  outside: FleetOutside;
  /** The data of `fleet status`: findings, jobs and costs. */
  status(): Promise<StatusSnapshot>;
  /** What a memory shard holds and costs. @throws NotFoundError where nothing has this shard's name */
  shard(name: string): Promise<ShardState>;
  /** The progress of a batch. @throws UsageError where no batch has this name */
  batch(name: string): Promise<BatchState>;
  /** The booked cost, and what the same tokens would have cost on Sonnet. Money in nano-dollars: `formatUsd`. @throws UsageError for an unknown dimension */
  costs(options?: CostOptions): Promise<CostReport>;
  /**
   * One task, question or mission: where it is, what it waits for, and what happened to it.
   * @param id of the job or of its finding. @throws NotFoundError naming ids that are like it
   */
  job(id: string): Promise<JobReport>;
  /** Cancels open jobs, or the open tasks of a batch. @throws UsageError for a wrong selection; NotFoundError for an unknown batch */
  cancel(selection: CancelSelection): Promise<CancelReport>;
  /**
   * Puts failed jobs back to waiting, also with a change. What cannot be retried is reported.
   * @throws UsageError for a wrong selection; NotFoundError for an unknown batch
   */
  retry(selection: RetrySelection, how?: RetryHow): Promise<RetryReport>;
  /**
   * Yields jobs of every kind and state, newest first: `for await (const job of fleet.jobs({ words: 'pears', state: 'failed' }))`. A
   * finished task whose job is gone is found by its finding. @throws UsageError for an option that breaks a rule
   */
  jobs(options?: JobListOptions): AsyncIterable<ListedJob>;
  /** The batches that run, and those of the last day, with `all` every one; the newest first: progress, rate and money. */
  batches(options?: BatchListOptions): Promise<BatchSummary[]>;
  /** The sessions, the one in force first: their days, tasks, findings and cost. */
  sessions(): Promise<SessionSummary[]>;
  /** What has failed, by kind and reason, with what repairs it. @throws NotFoundError for an unknown batch */
  failed(options?: FailedFilter): Promise<FailedKind[]>;
  /**
   * Yields jobs as they fail, from this call on: `for await (const job of fleet.failures({ signal }))`. An outage of Redis
   * delays them.
   */
  failures(options?: FailuresOptions): AsyncIterable<FailedJob>;
  /**
   * Yields what happens, as `fleet monitor` shows it: `for await (const event of fleet.activity({ since: Date.now() - 600_000 }))`.
   * An outage of Redis delays the events. @throws UsageError for a wrong option
   */
  activity(options?: ActivityOptions): AsyncIterable<ActivityEvent>;
  /** Yields what people and clients have changed, the newest first: `for await (const entry of fleet.audit({ what: ['budget'] }))`. @throws UsageError for a wrong option */
  audit(options?: AuditOptions): AsyncIterable<AuditEntry>;
  budget: FleetBudget;
  /**
   * Halts the whole fleet: nothing is lost, calls under way end and are stored. @returns `halted` false: a halt was in force already, and stays as it
   * was; `halt` null: another person lifted it at the same moment
   */
  halt(reason: string): Promise<{ halted: boolean; halt: Halt | null }>;
  /** Lifts the halt. @returns the halt that was lifted. @throws UsageError when the fleet is not halted */
  resume(): Promise<Halt>;
  session: FleetSession;
  contexts: FleetContexts;
  /** `await using fleet = await connectFleet()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Closes the connection. Pending waits throw a FleetError; the tasks are not affected. Safe to call twice. */
  close(): Promise<void>;
}
