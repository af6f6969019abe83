import type Anthropic from '@anthropic-ai/sdk';
import type { z } from 'zod';
import type { ArchiveFilter } from '../../../queues/archive.ts';
import type { SonnetReason } from '../../../queues/reasons.ts';
import type { QueryReply } from '../../librarian/queries/archive-asker.ts';
import { mergeChanges, type FileChange } from './line-change.ts';

/** What a tool run gives back. It is stored with the turn; a task that restarts elsewhere replays it with `applyOutcome`. */
export interface ToolOutcome {
  content: string;
  isError: boolean;
  changes?: FileChange[];
  /** Workspace path → sha256 of the whole content as this task now knows it. */
  seen?: Record<string, string>;
  /** Ids of the findings that were read. */
  citations?: string[];
  handBack?: { reason: SonnetReason; explanation: string };
}

/** What the tools of one task have seen and done so far; derived from their outcomes alone. */
export interface ToolState {
  seen: Map<string, string>;
  changes: Map<string, FileChange>;
  citations: Set<string>;
}

export function createToolState(): ToolState {
  return { seen: new Map(), changes: new Map(), citations: new Set() };
}

/** Folds one outcome into the state. Each outcome must be applied once, in the order of the turns. */
export function applyOutcome(state: ToolState, outcome: ToolOutcome): void {
  for (const [path, sha256] of Object.entries(outcome.seen ?? {})) state.seen.set(path, sha256);
  for (const change of outcome.changes ?? []) {
    const earlier = state.changes.get(change.path);
    state.changes.set(change.path, earlier === undefined ? change : mergeChanges(earlier, change));
  }
  for (const id of outcome.citations ?? []) state.citations.add(id);
}

export interface FindingReader {
  get(id: string): Promise<object | null>;
  search(query: string, options: { limit: number }): Promise<{ id: string; summary: string; at: string }[]>;
}

export interface ToolContext {
  /** `root` is a real path; null when the task names no workspace. */
  workspace: { name: string; root: string } | null;
  /** Files the task names: the block on `.env` and key files does not hold for them. */
  files: string[];
  state: ToolState;
  signal: AbortSignal;
  findings: FindingReader;
  /** Asks the archive; undefined where there is none. @throws HaltError, ShutdownError */
  askArchive?: (question: string, filter: ArchiveFilter, signal: AbortSignal) => Promise<QueryReply>;
  /** Program names that `run` may start. */
  runAllow: string[];
  /** `host` (ports 80 and 443) or `host:port`. */
  httpAllow: string[];
  redisAddress: { host: string; port: number };
  /** Called right before each side effect. @throws LockLostError */
  stillMine?: () => Promise<void>;
  /** Where the workspaces' lock files live; the same for every process of a host. Default: a folder under the system's temp folder. */
  lockFolder?: string;
}

/** The tools one kind of task is offered. */
export interface Toolset {
  /** In a stable order and always the same for the same options: they are part of the cached prompt. */
  definitions: Anthropic.Tool[];
  /**
   * Runs one tool. What the model did wrong (unknown tool, bad input, refused path) is an outcome with `isError`.
   * @throws LockLostError from `context.stillMine`; the abort reason of `context.signal`; and our own bugs
   */
  run(name: string, input: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** A context that is known to have a workspace. */
export type WorkspaceContext = ToolContext & { workspace: { name: string; root: string } };

/** One tool. `run` throws `ToolRefusal` for what the model did wrong; the toolset turns it into an outcome. */
export interface Tool {
  name: string;
  description: string;
  input: z.ZodObject;
  run(input: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** Types `run`'s input by the schema. The input is parsed here, so no tool sees one that breaks its schema. */
export function defineTool<Input extends z.ZodObject>(tool: {
  name: string;
  description: string;
  input: Input;
  run(input: z.output<Input>, context: ToolContext): Promise<ToolOutcome>;
}): Tool {
  return { ...tool, run: (input, context) => tool.run(tool.input.parse(input), context) };
}
