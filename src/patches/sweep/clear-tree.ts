import { findRepository, isRepository } from '../../git/repository.ts';
import { isHeldBy } from '../commit/commit-tree.ts';
import { isPackages } from '../commit/changed-paths.ts';
import { deleteBranch } from '../task-tree/branch.ts';
import { removeTree } from '../task-tree/remove-tree.ts';
import type { TaskTree } from '../task-tree/types.ts';
import type { PatchRecord } from '../types.ts';

/** What a tree is there for that its task uses no more. */
export interface LeftTree {
  /** Null: its task left no patch. */
  record: PatchRecord | null;
  /** The last commit of the task. */
  commit: string;
}

/** Removes a tree unless it holds something that its commit does not. @throws GitError; a system error */
export async function clearTree(
  tree: TaskTree,
  { record, commit }: LeftTree,
  { isGuarded }: { isGuarded(path: string): boolean },
  signal: AbortSignal,
): Promise<'gone' | 'holds-work'> {
  const { root, base } = tree.info;
  if (record?.leftOut.some(({ path }) => !isPackages(path)) === true) return 'holds-work';
  const repository = await findRepository(root, root, signal);
  if (!isRepository(repository)) return 'holds-work'; // nothing tells what the tree holds
  const files = record?.changes.map(({ path }) => path) ?? []; // what the patch holds is no secret that the task found
  const rules = { files, toolsWrote: [], isGuarded };
  if (!(await isHeldBy(commit, tree, repository, rules, signal))) return 'holds-work';
  await removeTree(tree);
  const isBranchNeeded = record === null ? commit !== base : record.state === 'pending' || record.state === 'conflict';
  if (!isBranchNeeded) await deleteBranch(repository, tree.info.branch, commit, signal);
  return 'gone';
}
