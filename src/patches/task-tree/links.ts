import { appendFile, lstat, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Git } from '../../git/git.ts';
import type { Repository } from '../../git/repository.ts';

/**
 * Links ignored names of the person's working tree into a task's, such as `node_modules`. Left out are names that are not
 * there, that the tree holds itself, that git does not ignore, and those of secrets.
 * @returns the linked paths
 */
export async function linkIgnored(
  git: Git,
  repository: Repository,
  { root, gitDir }: { root: string; gitDir: string },
  { links, isGuarded }: { links: readonly string[]; isGuarded(path: string): boolean },
): Promise<string[]> {
  const linked: string[] = [];
  for (const path of links) {
    const target = join(repository.top, path);
    const stats = await lstat(target).catch(() => null);
    if (stats === null || stats.isSymbolicLink() || isGuarded(path)) continue;
    if ((await lstat(join(root, path)).catch(() => null)) !== null || !(await isIgnored(git, path))) continue;
    const folder = dirname(join(root, path));
    if ((await realpath(folder).catch(() => null)) !== folder) continue; // a link of the repository could lead anywhere
    await symlink(target, join(root, path));
    linked.push(path);
  }
  // A pattern like `node_modules/` does not ignore a link.
  if (linked.length > 0) {
    await appendFile(join(gitDir, 'info', 'exclude'), linked.map((path) => `/${escape(path)}\n`).join(''));
  }
  return linked;
}

/** A pattern like `node_modules/` is for folders only, so it is asked about as one. */
async function isIgnored(git: Git, path: string): Promise<boolean> {
  return (await git(['check-ignore', '-q', '--', `${path}/`])).code === 0;
}

function escape(path: string): string {
  return path.replaceAll(/[\\*?[\]!# ]/g, String.raw`\$&`);
}
