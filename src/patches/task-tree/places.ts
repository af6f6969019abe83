import { hash } from 'node:crypto';
import { join } from 'node:path';

/** Folder of all task trees of a swarm on this host. @param swarm null: the default one */
export function toWorktreesFolder(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'worktrees');
}

/** Beginning of the names of folders that are not whole yet. */
export const HALF_MADE = '.new-';

/** Folder of one tree. A task that is tried afresh has another one, so that no try works with another's leftovers. */
export function toTreeFolder(worktrees: string, taskId: string, tree: string): string {
  return join(worktrees, `${toFileName(taskId)}.${tree}`);
}

/**
 * Branch of a task in the person's repository, without `refs/heads/`: `fleet/<task id>`. Where that would be no name for a
 * branch, a hash tells such ids apart.
 */
export function toBranchName(taskId: string): string {
  return `fleet/${toFileName(taskId)}`;
}

/** An id of the fleet's as it is, unless git or a file system refuses such a name. */
function toFileName(id: string): string {
  const plain = id
    .slice(0, 150)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .replaceAll(/\.(?=\.|$)/g, '_')
    .replace(/^[.-]/, '_')
    .replace(/\.lock$/i, '_lock');
  return plain === id ? id : `${plain}-${hash('sha256', id).slice(0, 8)}`;
}
