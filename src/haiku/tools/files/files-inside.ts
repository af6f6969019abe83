import { readlink, realpath } from 'node:fs/promises';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { InvalidJobError } from '../../../errors.ts';
import { leavesWorkspace } from '../../../tasks/check.ts';

/**
 * Checks before any call that the files of a task lie in its workspace, links included. Any program may have added the job.
 * Files need not exist.
 * @param root real path of the workspace; null: the task has none
 * @throws InvalidJobError
 */
export async function requireFilesInside(files: readonly string[], root: string | null): Promise<void> {
  const real = root === null ? null : await realpath(root);
  for (const file of files) {
    if (file.includes('\0')) throw new InvalidJobError(`files: ${JSON.stringify(file)} contains a NUL byte`);
    if (leavesWorkspace(file) || (real !== null && !(await leadsInside(real, posix.normalize(file))))) {
      throw new InvalidJobError(`files: ${JSON.stringify(file)} leads out of the workspace; expected paths inside it`);
    }
  }
}

/** Follows the links of the part of the path that exists. */
async function leadsInside(root: string, file: string): Promise<boolean> {
  for (let path = join(root, file); path.length > root.length; path = dirname(path)) {
    const real = await realpath(path).catch(() => null); // null: it does not exist, or its name is too long
    if (real !== null) return isInside(root, real);
    const target = await readlink(path).catch(() => null); // of a link to what does not exist
    if (target !== null) return isInside(root, resolve(dirname(path), target));
  }
  return true;
}

function isInside(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside !== '..' && !inside.startsWith('../');
}
