import type { Repository } from '../../../git/repository.ts';
import { commitTree } from '../../commit/commit-tree.ts';
import type { PatchHost } from '../../patch-host.ts';
import type { LeftOut, TaskTree } from '../../task-tree/types.ts';

export interface TreeWork {
  /** Commit of all that the tree holds; no branch moves there. Null: it holds what its base does. */
  commit: string | null;
  /** What cannot be committed, apart from installed packages. */
  leftOut: LeftOut[];
}

/** Commits what a tree holds. @param paths that are committed whatever their names are. @throws GitError */
export async function commitWork(
  { author, isGuarded }: PatchHost,
  tree: TaskTree,
  repository: Repository,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<TreeWork> {
  const rules = { files: paths, toolsWrote: [], isGuarded };
  const message = `Left in the tree of ${tree.info.task}\n\nFleet-Task: ${tree.info.task}\n`;
  const { head, leftOut } = await commitTree(tree, repository, rules, { message, author }, signal);
  return {
    commit: head === tree.info.base ? null : head,
    leftOut: leftOut.filter(({ path }) => !/(^|\/)node_modules$/.test(path)),
  };
}
