import type { Effort } from '../../../queues/effort.ts';
import type { TaskData, TaskResult } from '../../../queues/tasks.ts';
import type { Finding, Handover } from '../../findings/finding.ts';
import type { JobTotals, RunPlace, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import type { Model, ModelReply } from '../../models/model.ts';
import type { RunPace } from '../../pacing/types.ts';
import type { TreeBase } from '../../patches/task-tree/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import type { ResultCheck } from '../../tasks/schema/result-check.ts';
import type { ToolContext, ToolOutcome, Toolset } from '../tools/tool.ts';
import type { ContextVersion, MemoryContext } from '../../contexts/types.ts';
import type { ReplyGroup } from './size-memory.ts';

/** One run of one task. */
export interface TaskRun {
  identity: TaskIdentity;
  task: TaskData;
  /** Fires when the run must end at once: cancelled, lock lost, out of time. Its reason is the error that the run throws. */
  signal: AbortSignal;
  /** True once the process shuts down or gives the job up: the run ends before its next call or its next tools. */
  isDraining(): boolean;
  /** Absent: the task has no job. */
  place?: RunPlace | undefined;
}

/** What the job returns, and the finding for a caller that runs the task without a queue. */
export type CompletedTask = TaskResult & { finding: Finding };

export interface TaskLoopParts {
  model: Model;
  entry: CatalogEntry;
  /** Models that were asked before this one, of which no stored reply tells. The first new reply takes them out. */
  handovers: Handover[];
  /** The vendors that may see the task, and so its finding. Null: all. */
  vendors: readonly string[] | null;
  /** How much the model thinks. Undefined: the provider's own default. */
  effort?: Effort;
  /** The replies to tasks like this one. */
  replies: ReplyGroup;
  ledger: TurnLedger;
  /** See `PaidCallsParts`. */
  pace?: RunPace | undefined;
  toolset: Toolset;
  toolContext: Omit<ToolContext, 'state' | 'signal'>;
  contexts: MemoryContext[];
  /** The task's own working tree. Null: it has no workspace. */
  isolation: Isolation | null;
  /** Looks around for the first message. @throws the signal's reason */
  introduce(context: ToolContext, maxTurns: number): Promise<FirstMessage>;
  checkResult: ResultCheck;
  /** Writes a line into the job's log. Absent: the task has no job. */
  note?: ((line: string) => Promise<unknown>) | undefined;
  workerId: string;
  now(): Date;
}

/** A task's own working tree, as the loop knows it. */
export interface Isolation {
  /** Whether the task has a tree of its own on this host, or conflicts to resolve in one. */
  readonly hasTree: boolean;
  /** Says what the task began from, as its first run stored it. Undefined: it works in the shared tree. */
  begin(base: TreeBase | undefined, signal: AbortSignal): Promise<void>;
  /** Whether what an earlier run did in the task's tree is missing here: the tree is another host's, or lost. */
  isMissing(outcome: ToolOutcome): boolean;
  /** Makes the tree before the first look into files, if it holds more than the person's commit. */
  prepareLook(context: ToolContext): Promise<void>;
  /** Says that no outcome of an earlier run follows. */
  endReplay(): Promise<void>;
  /**
   * Commits what the tree holds and stores the patch. It comes before the finding.
   * @returns null: the task has no tree, so it changed nothing, or has changed the shared one
   */
  finish(
    totals: JobTotals & { isLocal: boolean },
    context: ToolContext,
  ): Promise<Pick<Finding, 'changes' | 'patch'> | null>;
  /** @returns the error to fail with instead of this one; mostly itself */
  explain(error: unknown): Promise<unknown>;
  /** Removes what is not needed any more. It comes after the finding. */
  close(): Promise<void>;
}

/** What the first message to the model says after the task. */
export interface FirstMessage {
  tail: string;
  /** Workspace path → sha256 of the files that it holds, as a read reports them. */
  seen: Record<string, string>;
  /** Ids of findings that it shows which another, simulated swarm wrote. Absent: none. */
  simulated?: string[];
  /** What the task's own tree begins from. Absent: the task works in the shared tree. */
  base?: TreeBase;
  /** The versions of the memory contexts that are sent with it. Absent: none, or an older version stored it. */
  contexts?: readonly ContextVersion[];
}

/** A reply as a turn stores it. */
export interface TurnReply extends ModelReply {
  /** Hash of what the prompt began with (`toPrefixHash`). Absent: a version stored it that kept none. */
  prefix?: string;
  /** Of the first turn: what later runs begin with, too. Absent: a version stored it that had only the task. */
  first?: FirstMessage;
  /** The models that this one took over from. Absent: none. */
  routed?: Handover[];
}
