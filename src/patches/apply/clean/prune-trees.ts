import { noteChange, toNamed } from '../../../audit/note-change.ts';
import { deleteBranch } from '../../task-tree/branch.ts';
import type { PatchHost } from '../../patch-host.ts';
import { removeTree } from '../../task-tree/remove-tree.ts';
import { examineTrees } from './examine-tree.ts';
import type { WorktreeReport } from './types.ts';

/**
 * Lists the task trees on this host's disk.
 * @param options.prune whether those go that hold nothing that is not in a commit which a branch, a patch or HEAD keeps
 * @throws GitError
 */
export async function listWorktrees(
  host: PatchHost,
  { prune = false, signal = new AbortController().signal }: { prune?: boolean; signal?: AbortSignal } = {},
): Promise<WorktreeReport> {
  const report: WorktreeReport = { trees: [], removed: [] };
  for (const { line, tree, record, repository } of await examineTrees(host, signal)) {
    if (!prune || line.kept !== '' || repository === null) {
      report.trees.push(line);
      continue;
    }
    await removeTree(tree);
    report.removed.push(line);
    const isWaiting = record?.state === 'pending' || record?.state === 'conflict';
    const { branch, heads, base } = tree.info;
    if (!isWaiting) await deleteBranch(repository, branch, record?.head ?? heads.at(-1) ?? base, signal);
  }
  const tasks = report.removed.map(({ taskId }) => taskId);
  if (tasks.length > 0) await noteChange(host.db, { what: 'prune', about: toNamed(tasks) });
  return report;
}
