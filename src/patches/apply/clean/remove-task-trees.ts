import type { Repository } from '../../../git/repository.ts';
import type { PatchHost } from '../../patch-host.ts';
import { deleteBranch } from '../../task-tree/branch.ts';
import { toWorktreesFolder } from '../../task-tree/places.ts';
import { removeTree } from '../../task-tree/remove-tree.ts';
import { listTrees } from '../../task-tree/list-trees.ts';
import type { LeftOut, TaskTree } from '../../task-tree/types.ts';
import type { PatchRecord } from '../../types.ts';
import { commitWork, isSaved } from './commit-work.ts';

/** Lists the trees of a task on this host: one for each time that it was tried afresh. */
export async function listTaskTrees(host: PatchHost, taskId: string): Promise<TaskTree[]> {
  const trees = await listTrees(toWorktreesFolder(host.dataFolder, host.swarm));
  return trees.filter(({ info }) => info.task === taskId);
}

/**
 * Removes a patch's trees on this host, and its branch. A tree that holds anything that no commit has stays.
 * @param options.keepsWork whether work that came after the patch keeps the tree, too; else it is committed, and the commit named
 * @returns notes for the person
 * @throws GitError; a system error
 */
export async function removeTaskTrees(
  host: PatchHost,
  repository: Repository,
  record: PatchRecord,
  { keepsWork, signal }: { keepsWork: boolean; signal: AbortSignal },
): Promise<string[]> {
  const notes: string[] = [];
  for (const tree of await listTaskTrees(host, record.taskId)) {
    if (tree.info.finding !== record.findingId || tree.info.root !== repository.top) continue;
    const left = { tree, repository, record };
    if (await isSaved(host, left, signal)) {
      await removeTree(tree);
      continue;
    }
    const { commit, isMore, leftOut } = await commitWork(host, left, signal);
    if (isMore) {
      notes.push(`${record.taskId}: its tree held more than the patch; all of it is commit ${commit}`);
    }
    if (leftOut.length > 0) notes.push(toKeptNote(tree, leftOut));
    else if (!keepsWork) await removeTree(tree);
  }
  if (!(await deleteBranch(repository, record.branch, record.head, signal))) {
    notes.push(`the branch ${record.branch} stays: it was moved, or a working tree is on it`);
  }
  return notes;
}

export function toKeptNote({ folder, info }: TaskTree, leftOut: readonly LeftOut[]): string {
  const names = leftOut.map(({ path, why }) => `${path} (${why})`).join(', ');
  return `the tree of ${info.task} stays, because it holds what no commit can: ${names}. Take what you need from ${folder}/tree, then remove ${folder}`;
}
