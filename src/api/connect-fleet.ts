import type { z } from 'zod';
import type { TaskInput } from '../../queues/tasks.ts';
import type { BatchOptions, BatchReport, BatchState } from '../tasks/batch/types.ts';
import { loadConfig } from '../config/environment.ts';
import type { FleetMissions } from '../coordinator/mission/handle-types.ts';
import type { FleetFindings } from '../findings/types.ts';
import type { AskOptions, QueryHandle } from './ask-types.ts';
import type { TypedTask } from './define-task.ts';
import type { TaskEnd, TaskHandle, WaitOptions } from '../tasks/types.ts';
import type { CostReport, ReportDimension } from '../ledger/report/types.ts';
import type { StatusSnapshot } from '../status/types.ts';

export interface FleetOptions {
  /** Default `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  redisUrl?: string;
  /** Name of the swarm; default `FLEET_SWARM`, else the default swarm. */
  swarm?: string;
}

export interface AddOptions {
  /** The job's id; a task of this id that exists is reported, never added twice. Default: a fresh random one. */
  taskId?: string;
}

export interface CostOptions {
  /** One row for each; default `session`. Days are UTC days. */
  by?: ReportDimension;
  /** Only what belongs to these: `{ batch: 'nightly' }`. */
  only?: Partial<Record<ReportDimension, string>>;
}

/** Putting tasks into the queue, and waiting for them. While the fleet is halted tasks are taken and wait. */
export interface FleetTasks {
  /** @throws UsageError for a task that breaks a rule, RedisUnusableError within a second when Redis is away or full */
  add(task: TaskInput, options?: AddOptions): Promise<TaskHandle>;
  add<Input extends z.ZodType, Output extends z.ZodType>(
    task: TypedTask<Input, Output>,
    input: z.input<Input>,
    options?: AddOptions,
  ): Promise<TaskHandle<z.output<Output>>>;

  /**
   * Adds any number of tasks in chunks, holding one chunk at a time. Bad ones are reported, good ones are added.
   * @throws UsageError for options that break a rule, RedisUnusableError; what was added by then stays
   */
  addMany(tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>, options?: BatchOptions): Promise<BatchReport>;
  addMany<Input extends z.ZodType, Output extends z.ZodType>(
    task: TypedTask<Input, Output>,
    inputs: Iterable<z.input<Input>> | AsyncIterable<z.input<Input>>,
    options?: BatchOptions,
  ): Promise<BatchReport>;

  /** A task that was added earlier, by this script or another; null where neither its job nor its finding is left. */
  get(id: string): Promise<TaskHandle | null>;
  get<Input extends z.ZodType, Output extends z.ZodType>(
    id: string,
    task: TypedTask<Input, Output>,
  ): Promise<TaskHandle<z.output<Output>> | null>;

  /**
   * How each of these tasks ends, in the order they end: `for await (const end of fleet.tasks.ends(report.ids))`. A
   * failed task is one of the answers, no error. Only task ids that the caller gave no `finding_id` are found again
   * once their job was cleared away.
   * @throws WaitTimeoutError when the time is over and some have not ended
   */
  ends(ids: Iterable<string>, options?: WaitOptions): AsyncIterable<TaskEnd>;
}

/** What scripts use. Everything else is reached through it; close it, or the process does not end. */
export interface Fleet {
  tasks: FleetTasks;
  /**
   * Asks the archive of all findings. A question waits for a librarian as a task waits for a worker.
   * @throws UsageError for a question that breaks a rule, RedisUnusableError within a second when Redis is away or full
   */
  ask(question: string, options?: AskOptions): Promise<QueryHandle>;
  missions: FleetMissions;
  findings: FleetFindings;
  /** What the fleet knows, does and costs: the data of `fleet status`. */
  status(): Promise<StatusSnapshot>;
  /** How far a batch is. @throws UsageError where there is none of that name */
  batch(name: string): Promise<BatchState>;
  /** What was booked, beside what the same tokens would have cost on Sonnet. Money in nano-dollars: `formatUsd`. */
  costs(options?: CostOptions): Promise<CostReport>;
  /** Lets go of Redis. Whoever still waits for a task gets a FleetError; tasks go on. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Connects to a running fleet, by the same variables and `.env` as its processes.
 * @throws RedisUnusableError within a second when Redis is not there, ConfigError
 */
export async function connectFleet(options: FleetOptions = {}): Promise<Fleet> {
  const config = loadConfig({
    ...process.env,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.swarm === undefined ? {} : { FLEET_SWARM: options.swarm }),
  });
  const { openFleet } = await import('./open-fleet.ts'); // what only defines tasks needs no Redis client
  const { inner: _inner, ...fleet } = await openFleet(config);
  return fleet;
}
