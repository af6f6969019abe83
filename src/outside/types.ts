import type { TaskInput } from '../../queues/tasks.ts';

/** Which task an outside worker wants, and for how long. */
export interface ClaimOptions {
  /** Name of the outside worker: letters, digits, dot, dash, underscore, at most 100. Its findings and the status show it. */
  as: string;
  /** How long it holds the task without a renewal, ms: 1,000 to 86,400,000. Default 300,000. */
  leaseMs?: number;
  /** Only this task. Default: the one that was offered first. */
  task?: string;
  /** Only tasks of this kind. */
  kind?: NonNullable<TaskInput['kind']>;
  /** Only tasks of this batch. */
  batch?: string;
  /** Only tasks of this memory shard. */
  shard?: string;
  /** Called with the reason where there is no task to give: the fleet is halted, nothing is offered … */
  onNone?: (why: string) => void;
}

/** A task as its outside worker gets it. */
export interface OutsideTask extends Omit<TaskInput, 'for' | 'finding_id'> {
  id: string;
  /** Id of the finding that a report writes. */
  finding_id: string;
  session?: string;
  batch?: string;
  mission_id?: string;
}

/** A task that an outside worker holds. */
export interface Claim {
  task_id: string;
  /** What a renewal, a report, a release or a failure must show. Who has it can end the task. */
  lease: string;
  /** UTC instant. Then the task is offered again, unless the lease was renewed. */
  expires_at: string;
  task: OutsideTask;
}

/** A claimed task. */
export interface LeaseRef {
  taskId: string;
  lease: string;
}

export interface RenewOptions extends LeaseRef {
  /** How long it holds the task from now on, ms. Default 300,000. */
  forMs?: number;
}

/** What an outside worker found. */
export interface ReportOptions extends LeaseRef {
  /** Text, or any JSON. It must fit the task's schema; a text is then read as JSON. */
  result: unknown;
  /** Files that it changed, relative to the workspace: at most 1,000. Default: none. */
  files?: readonly string[];
  /** Ids of the findings that the result relies on: at most 1,000; each must exist. Default: none. */
  citations?: readonly string[];
  /** Tokens that it used, which nobody measured here. Default: not known. */
  tokens?: { input: number; output: number };
  /** What it cost, US dollars, which nobody measured here. Default: not known. */
  costUsd?: number;
}

/** `already`: this lease has reported the same before; the answer was lost. */
export interface ReportAnswer {
  recorded: 'recorded' | 'already';
  task_id: string;
  finding_id: string;
}

/** Outside workers: agents and programs that claim a task under a lease and report its finding. */
export interface FleetOutside {
  /**
   * Takes a task that waits for an outside worker.
   * @returns null: there is none, or the fleet is halted; `onNone` is called with the reason
   * @throws UsageError for options that break a rule, or a task that only the fleet's workers may do
   */
  claim(options: ClaimOptions): Promise<Claim | null>;
  /** @returns when the lease ends now. @throws LeaseLostError */
  renew(options: RenewOptions): Promise<{ task_id: string; expires_at: string }>;
  /**
   * Stores the finding and ends the task. Also while the fleet is halted.
   * @throws UsageError for a report that breaks a rule, such as the task's schema: the lease still holds the task. LeaseLostError:
   *   another worker has the task, or what it reported stands
   */
  report(options: ReportOptions): Promise<ReportAnswer>;
  /** Gives the task back: it is offered again. @throws LeaseLostError */
  release(options: LeaseRef): Promise<{ task_id: string }>;
  /** Fails the task with reason `outside`. @throws LeaseLostError */
  fail(options: LeaseRef & { why: string }): Promise<{ task_id: string }>;
}

/** What the status shows of outside workers. */
export interface OutsideStatus {
  /** Tasks that outside workers may claim. They are in the queue's `delayed`, or of those for anyone after 30 s in its `waiting`. */
  offered: number;
  /** Tasks that they hold. */
  held: number;
  /** At most ten of these, the lease that ends first first. */
  leases: { taskId: string; worker: string; claimedAt: string; expiresAt: string }[];
}
