import type { ToolDefinition } from '../../models/format.ts';
import type { z } from 'zod';
import type { Redact } from '../../config/redact.ts';
import type { RedisHost } from '../../config/redis-servers.ts';
import type { ArchiveFilter } from '../../../queues/archive.ts';
import type { SonnetReason } from '../../../queues/reasons.ts';
import type { FoundFindings, StoredFinding } from '../../findings/types.ts';
import type { AskPeers } from './peer-types.ts';
import type { QueryReply } from '../../librarian/queries/archive-asker.ts';
import { readArguments } from './read-arguments.ts';
import { mergeChanges, type FileChange } from './line-change.ts';

/** The outcome of one tool run. It is stored with the turn; the next run of the task replays it with `applyOutcome`. */
export interface ToolOutcome {
  content: string;
  isError: boolean;
  changes?: FileChange[];
  /** Workspace path → sha256 of the whole file, as this task last read or wrote it. */
  seen?: Record<string, string>;
  /** Ids of the findings that were read. */
  citations?: string[];
  /** Those of them that are of another swarm whose work is simulated. */
  simulated?: string[];
  handBack?: { reason: SonnetReason; explanation: string };
  /** Workspace path → sha256 of the file before the tool changed it; null: there was none. */
  before?: Record<string, string | null>;
  /** In a shared tree: path → `<mode> <object id>` of what the task staged; '' for a file that it removed. */
  staged?: Record<string, string>;
  /** Paths that are committed, so that they are staged no longer. */
  unstaged?: string[];
  /** Ids of the commits that the tool made. */
  commits?: string[];
  /** Branches that the tool made and deleted. */
  branches?: { made?: string[]; gone?: string[] };
  /** What the model is told besides, of the task's tree. */
  notice?: string;
  /** Whether the task had its own tree when the tool ended. A run that lacks this tree runs the tool again. Default false. */
  inTree?: true;
}

/** What the tools of one task have read and changed so far. It follows from their outcomes alone. */
export interface ToolState {
  seen: Map<string, string>;
  changes: Map<string, FileChange>;
  citations: Set<string>;
  /** Those of the citations that are simulated, of another swarm. */
  simulated: Set<string>;
  /** As the outcomes, of the first change of each file. */
  before: Map<string, string | null>;
  /** As the outcomes, for the next commit in a shared tree. */
  staged: Map<string, string>;
  /** Commits and branches that the task made. */
  commits: Set<string>;
  branches: Set<string>;
}

export function createToolState(): ToolState {
  return {
    seen: new Map(),
    changes: new Map(),
    citations: new Set(),
    simulated: new Set(),
    before: new Map(),
    staged: new Map(),
    commits: new Set(),
    branches: new Set(),
  };
}

/** Adds one outcome to the state. Each outcome must be applied once, in the order of the turns. */
export function applyOutcome(state: ToolState, outcome: ToolOutcome): void {
  applySeen(state, outcome.seen ?? {});
  for (const change of outcome.changes ?? []) {
    const earlier = state.changes.get(change.path);
    state.changes.set(change.path, earlier === undefined ? change : mergeChanges(earlier, change));
  }
  for (const id of outcome.citations ?? []) state.citations.add(id);
  for (const id of outcome.simulated ?? []) state.simulated.add(id);
  for (const [path, sha256] of Object.entries(outcome.before ?? {})) {
    if (!state.before.has(path)) state.before.set(path, sha256);
  }
  applyGit(state, outcome);
}

function applyGit(state: ToolState, { staged = {}, unstaged = [], commits = [], branches = {} }: ToolOutcome): void {
  for (const [path, entry] of Object.entries(staged)) state.staged.set(path, entry);
  for (const path of unstaged) {
    state.staged.delete(path);
    state.before.delete(path); // from here on, the commit is what the file was
  }
  for (const id of commits) state.commits.add(id);
  for (const name of branches.made ?? []) state.branches.add(name);
  for (const name of branches.gone ?? []) state.branches.delete(name);
}

/** Notes which bytes of these files the task knows. */
export function applySeen(state: ToolState, seen: Record<string, string>): void {
  for (const [path, sha256] of Object.entries(seen)) state.seen.set(path, sha256);
}

export interface FindingReader {
  /** @throws SwarmRefusedError for one of another swarm that cannot be read */
  get(id: string): Promise<(object & Pick<Partial<StoredFinding>, 'finding_id' | 'simulated'>) | null>;
  /** @param options.swarm another swarm. @throws SwarmRefusedError where it cannot be read */
  find(
    query: string,
    options: { limit: number; signal: AbortSignal; swarm?: string | undefined },
  ): Promise<FoundFindings>;
}

/** A working tree of a task's own: see `src/patches/task-tree`. All paths are absolute. */
export interface OwnTree {
  /** Its private git directory. Its HEAD is the branch `refs/heads/fleet/<task id>`. */
  gitDir: string;
  /** Folder of the person's objects, into which git writes. */
  objects: string;
  /** Commit that the task began from. */
  base: string;
  /** Real path of the person's workspace: no program is taken from there. */
  personRoot: string;
  /**
   * Says of each path that the task may not write why that is so: its content goes through a filter program (git-lfs,
   * git-crypt), and none runs, or it lies in a submodule, of which the tree holds nothing.
   */
  findClosed(paths: readonly string[], signal: AbortSignal): Promise<{ path: string; why: string }[]>;
}

/** Where a task works. */
interface Workspace {
  name: string;
  /** Real path. It changes once: when the task gets a working tree of its own. */
  readonly root: string;
  /**
   * Gives the task a working tree of its own, if it is to have one and has none. A tool calls it through `requireWritable`
   * before its first effect. Undefined: the task works in the shared tree.
   * @throws TaskFailedError `workspace` if the tree cannot be made
   */
  prepareWrite?(context: ToolContext): Promise<void>;
  /** The tree of the task's own, once it has one. Undefined: `root` is shared with the person and other tasks. */
  readonly own?: OwnTree | undefined;
  /** Returns once what the model must know of the new tree; null: nothing. The toolset adds it to the tool's outcome as `notice`. */
  takeNotice?(): string | null;
}

/** The home folder of a task's programs: their caches and settings, and nothing of the worker's user. */
export interface TaskHome {
  /** Makes the folder if it is not there. @returns the variables that name it and what is in it */
  open(): Promise<Record<string, string>>;
  /** Removes it. */
  remove(): Promise<void>;
}

/** How `run` starts programs. */
export interface RunSettings {
  /** Longest run of one program. */
  timeoutMs: number;
  /** Variables of each program, beside those that the tool sets. */
  env: Record<string, string>;
  home: TaskHome;
}

export interface ToolContext {
  /** Null: the task names no workspace. */
  workspace: Workspace | null;
  /** The files that the task lists. Tools may open them even if their names are guarded (`.env`, keys). */
  files: string[];
  state: ToolState;
  signal: AbortSignal;
  findings: FindingReader;
  /** Asks the archive. Undefined: no librarian is configured. @throws HaltError, ShutdownError */
  askArchive?: (question: string, filter: ArchiveFilter, signal: AbortSignal) => Promise<QueryReply>;
  /** Names of the other swarms whose findings may be read. Default: none. */
  otherSwarms?: readonly string[];
  /**
   * Asks other workers. Undefined: an assist task, or a task without a queue.
   * @throws AwaitsPeersError while no answer is there: the run ends, and the next one asks again
   */
  askPeers?: AskPeers;
  /** Program names that `run` may start. */
  runAllow: string[];
  /** Default: two minutes, no variables, a home for each program. */
  run?: RunSettings;
  /** Hosts that `http` may call: `host` (ports 80 and 443) or `host:port`. */
  httpAllow: string[];
  /** Lists all of the fleet's Redis servers that are known at this moment; `http` reaches none. */
  redisHosts: () => readonly RedisHost[];
  /** Author of commits, and the lines that end their messages (`Fleet-Task: …`). Default: the fleet, none. */
  commitAs?: { name: string; email: string; trailers: string[] };
  /** Removes the fleet's secrets from what the model reads. Default: nothing is removed. */
  redact?: Redact;
  /** Checks that this process still holds the job. Tools call it right before each side effect. @throws LockLostError */
  stillMine?: () => Promise<void>;
  /** Folder of the workspaces' lock files, the same for all processes of a host. Default: one in the system's temp folder. */
  lockFolder?: string;
}

/** The tools of a task. */
export interface Toolset {
  /** In a stable order, and always the same for the same options: they are part of the cached prompt. */
  definitions: ToolDefinition[];
  /**
   * Runs one tool. A mistake of the model (unknown tool, bad input, refused path) is an outcome with `isError`.
   * @throws LockLostError from `context.stillMine`; the abort reason of `context.signal`; any error of a tool's own
   */
  run(name: string, input: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** The context of a task with a workspace. */
export type WorkspaceContext = ToolContext & { workspace: Workspace };

/** One tool. `run` throws `ToolRefusal` for a mistake of the model; the toolset turns it into an outcome. */
export interface Tool {
  name: string;
  description: string;
  input: z.ZodObject;
  run(input: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** Types the input of `run` by the schema, and reads it by `readArguments`: `run` gets no input that breaks the schema. */
export function defineTool<Input extends z.ZodObject>(tool: {
  name: string;
  description: string;
  input: Input;
  run(input: z.output<Input>, context: ToolContext): Promise<ToolOutcome>;
}): Tool {
  return { ...tool, run: (input, context) => tool.run(readArguments(tool.input, input), context) };
}
