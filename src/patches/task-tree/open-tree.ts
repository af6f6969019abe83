import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBranch } from './branch.ts';
import { makeTree } from './make-tree.ts';
import { toTreeFolder } from './places.ts';
import { readTree, writeTreeInfo } from './tree-info.ts';
import type { TaskTree, TreeBase, TreeOwner, TreeSettings } from './types.ts';

/** A git of a run that ended has been killed after a second, and no run follows within this. */
const LOCK_STALE_MS = 10_000;

/** Finds the tree of a task on this host. @returns null: there is none */
export async function findTree(
  base: TreeBase,
  taskId: string,
  { worktrees }: Pick<TreeSettings, 'worktrees'>,
): Promise<TaskTree | null> {
  return await readTree(toTreeFolder(worktrees, taskId, base.tree));
}

/**
 * Opens the tree of a task, or makes it; its branch exists then. The process may die at any line: the next one finds the
 * whole tree, or none.
 * @throws TreeError, GitError, a system error, the signal's reason
 */
export async function openTree(
  base: TreeBase,
  owner: TreeOwner,
  settings: TreeSettings,
  signal: AbortSignal,
): Promise<TaskTree> {
  const folder = toTreeFolder(settings.worktrees, owner.taskId, base.tree);
  const known = await readTree(folder);
  if (known !== null) await removeStaleLock(known);
  const tree = known ?? (await makeTree(folder, base, owner, settings, signal));
  const branch = await ensureBranch(owner.repository, tree.info, signal);
  if (branch !== tree.info.branch) {
    tree.info.branch = branch;
    await writeTreeInfo(folder, tree.info);
  }
  return tree;
}

/** Removes the lock of a git that was killed with its run: it would stop the task's own git for ever. */
async function removeStaleLock({ gitDir }: TaskTree): Promise<void> {
  const lock = join(gitDir, 'index.lock');
  const stats = await stat(lock).catch(() => null);
  if (stats !== null && Date.now() - stats.mtimeMs > LOCK_STALE_MS) await rm(lock, { force: true });
}
