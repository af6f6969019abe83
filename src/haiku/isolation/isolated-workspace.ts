import type { TaskData } from '../../../queues/tasks.ts';
import { FleetError, TaskFailedError, toMessage } from '../../errors.ts';
import type { Finding } from '../../findings/finding.ts';
import type { Repository } from '../../git/repository.ts';
import type { TaskIdentity } from '../../ledger/types.ts';
import { findCarried } from '../../patches/commit/carried.ts';
import { finishTree, removeIfEmpty, type FinishedTree } from '../../patches/commit/finish-tree.ts';
import { mergeBuiltOn, restoreMerge } from '../../patches/merge/built-on.ts';
import { TreeError } from '../../patches/task-tree/tree-error.ts';
import { findTree, openTree } from '../../patches/task-tree/open-tree.ts';
import { removeTree } from '../../patches/task-tree/remove-tree.ts';
import { writeTreeInfo } from '../../patches/task-tree/tree-info.ts';
import type { TaskTree, TreeBase, TreeSettings } from '../../patches/task-tree/types.ts';
import type { Db } from '../../redis/db.ts';
import type { Isolation } from '../loop/types.ts';
import { withWorkspaceLock } from '../tools/files/workspace-lock.ts';
import { requireWorkspace } from '../tools/tool-refusal.ts';
import type { OwnTree, ToolContext, ToolOutcome } from '../tools/tool.ts';
import { beginTask, findOwnRepository, type Beginning } from './begin.ts';
import { createCommitMessages, type CommitCost } from './commit-message.ts';
import { requireResolved, toConflictFailure, toMergeFailure } from './conflicts.ts';
import { describeTree } from './notice.ts';
import { toOwnTree } from './own-tree.ts';

export interface IsolatedWorkspaceParts {
  /** The workspace that the task names. */
  shared: { name: string; root: string };
  task: TaskData;
  identity: TaskIdentity;
  db: Db;
  settings: TreeSettings;
  swarm: string;
  host: string;
  now(): Date;
  note?(line: string): Promise<unknown>;
}

/**
 * The workspace of one run of a task. It is the shared tree until the first tool that writes; then the task's own, if its
 * workspace is a git repository and the task does not say otherwise.
 */
export class IsolatedWorkspace implements Isolation {
  readonly #parts: IsolatedWorkspaceParts;
  #found: Repository | string | null = null;
  #base: TreeBase | null = null;
  #tree: TaskTree | null = null;
  #making: Promise<void> | null = null;
  #isRebuilding = false;
  #notice: string | null = null;
  #finished: FinishedTree | null = null;
  #own: OwnTree | undefined;

  constructor(parts: IsolatedWorkspaceParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.shared.name;
  }

  get root(): string {
    return this.#tree?.root ?? this.#parts.shared.root;
  }

  get own(): OwnTree | undefined {
    return this.#own;
  }

  get hasTree(): boolean {
    return this.#tree !== null || (this.#base?.merge?.conflicts.length ?? 0) > 0;
  }

  /** What a run begins with that replays nothing. */
  async propose(signal: AbortSignal): Promise<Beginning> {
    this.#found = await findOwnRepository(this.#parts.shared.root, this.#parts.settings.worktrees, signal);
    const { task, db, shared } = this.#parts;
    const ids = task.builds_on ?? [];
    return await beginTask(task, this.#found, signal, async (repository, head) => {
      if (ids.length === 0) return null;
      try {
        return await mergeBuiltOn(db, repository, { head, ids, workspace: shared.name }, signal);
      } catch (error) {
        throw toMergeFailure(error);
      }
    });
  }

  async begin(base: TreeBase | undefined, signal: AbortSignal): Promise<void> {
    if (base === undefined) return;
    const { identity, settings } = this.#parts;
    this.#base = base;
    this.#found ??= await findOwnRepository(this.#parts.shared.root, this.#parts.settings.worktrees, signal);
    const tree = await findTree(base, identity.jobId, settings);
    if (tree === null) return;
    if (tree.info.isRebuilding) await removeTree(tree); // a run died while it ran the tools of stored turns again
    else await this.#open(signal);
  }

  isMissing({ inTree }: ToolOutcome): boolean {
    if (inTree === true && this.#base !== null && this.#tree === null) this.#isRebuilding = true;
    return this.#isRebuilding;
  }

  async prepareLook(context: ToolContext): Promise<void> {
    if (this.#base?.merge !== undefined) await this.prepareWrite(context);
  }

  async explain(error: unknown): Promise<unknown> {
    return await toConflictFailure(error, this.#base, this.#tree);
  }

  async endReplay(): Promise<void> {
    if (!this.#isRebuilding) return;
    this.#isRebuilding = false;
    if (this.#tree === null) return;
    this.#tree.info.isRebuilding = false;
    await writeTreeInfo(this.#tree.folder, this.#tree.info);
  }

  /** @throws TaskFailedError `workspace` if the tree cannot be made */
  async prepareWrite(context: ToolContext): Promise<void> {
    if (this.#base === null || this.#tree !== null) return;
    await context.stillMine?.();
    await (this.#making ??= this.#make(context).finally(() => {
      this.#making = null;
    }));
  }

  takeNotice(): string | null {
    const notice = this.#notice;
    this.#notice = null;
    return notice;
  }

  async finish(totals: CommitCost, given: ToolContext): Promise<Pick<Finding, 'changes' | 'patch'> | null> {
    await requireResolved(this.#base, this.#tree);
    if (this.#tree === null) return null;
    await this.endReplay();
    const tree = this.#tree;
    const { task, identity, db, settings, now, note } = this.#parts;
    const repository = this.#requireRepository();
    const context = requireWorkspace(given);
    const carried = await findCarried(db, tree, this.#base?.merge?.start ?? null, repository, context.signal);
    const rules = {
      files: [...(task.files ?? []), ...carried.paths],
      toolsWrote: [...context.state.changes.keys()],
      isGuarded: settings.isGuarded,
    };
    const facts = {
      ...createCommitMessages(task, identity, totals, carried.tasks),
      author: settings.author,
      batch: identity.batch,
      missionId: identity.missionId,
      now: now(),
      stillMine: async () => await context.stillMine?.(),
    };
    await context.stillMine?.();
    // A run that was taken for dead may still work here: one of the two at a time.
    this.#finished = await withWorkspaceLock(context, (signal) =>
      finishTree(db, tree, repository, rules, facts, signal),
    );
    const { patch, changes, record } = this.#finished;
    for (const { path, why } of record.leftOut)
      await note?.(`left out of the patch: ${JSON.stringify(path)}, because ${why}`);
    return { patch, changes };
  }

  async close(): Promise<void> {
    if (this.#finished === null || this.#tree === null) return;
    const { signal } = new AbortController(); // the finding is recorded: nothing of the run is cut off any more
    await removeIfEmpty(this.#finished, this.#tree, this.#requireRepository(), signal);
  }

  async #make({ state, signal }: ToolContext): Promise<void> {
    const tree = await this.#open(signal);
    this.#notice = await describeTree(tree, state.seen);
  }

  async #open(signal: AbortSignal): Promise<TaskTree> {
    const base = this.#base;
    if (base === null) throw new Error('the task works in the shared tree');
    const { identity, shared, settings, swarm, host } = this.#parts;
    const repository = this.#requireRepository();
    const { jobId: taskId, findingId } = identity;
    try {
      const isRebuilding = this.#isRebuilding;
      const owner = { taskId, findingId, workspace: shared.name, repository, swarm, host, isRebuilding };
      await this.#requireBase(base, repository, signal);
      const tree = await openTree(base, owner, settings, signal);
      this.#own = toOwnTree(tree, repository);
      this.#tree = tree;
      return tree;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FleetError) && !(error instanceof Error && 'code' in error)) throw error;
      throw new TaskFailedError('workspace', `the task gets no tree of its own: ${toMessage(error)}`, { cause: error });
    }
  }

  /** Makes the base again if it is not here. @throws TreeError if it cannot be */
  async #requireBase(base: TreeBase, repository: Repository, signal: AbortSignal): Promise<void> {
    if (base.merge === undefined || this.#tree !== null) return;
    const { db, identity, settings } = this.#parts;
    if ((await findTree(base, identity.jobId, settings)) !== null) return;
    if (await restoreMerge(db, repository, { commit: base.commit, ...base.merge }, signal)) return;
    throw new TreeError(
      `the changes of ${base.merge.patches.join(', ')}, from which it began, cannot be merged here as they were`,
    );
  }

  #requireRepository(): Repository {
    const found = this.#found;
    if (found !== null && typeof found !== 'string') return found;
    const { name } = this.#parts.shared;
    throw new TaskFailedError(
      'workspace',
      `workspace ${JSON.stringify(name)}: the task began in its git repository, and there is none now: ${found ?? 'no .git'}`,
    );
  }
}
