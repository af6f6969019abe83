import { mustGit, type Git } from '../../../git/git.ts';
import { joinNul, splitNul, toShown, type BytePath } from '../person/byte-path.ts';
import type { BlockedPath } from '../person/find-dirty.ts';
import { SUBMODULE, type TreeChange } from '../person/tree-changes.ts';

/**
 * Finds the paths that no patch may change, whatever HEAD is: submodules, and what a filter program would have to write.
 * @param git with the person's working tree, and an index that holds the patches
 * @throws GitError
 */
export async function findUnfit(git: Git, changes: readonly TreeChange[]): Promise<BlockedPath[]> {
  const paths = changes.map(({ path }) => path);
  const modules = changes.filter(({ old, next }) => old?.mode === SUBMODULE || next?.mode === SUBMODULE);
  return [
    ...modules.map(({ path }) => ({ path, why: 'is a submodule, which a patch cannot move' })),
    ...(await findFiltered(git, paths)), // by the attributes of the working tree
    ...(await findFiltered(git, paths, ['--cached'])), // by those that the patches bring
  ];
}

async function findFiltered(
  git: Git,
  paths: readonly BytePath[],
  more: readonly string[] = [],
): Promise<BlockedPath[]> {
  if (paths.length === 0) return [];
  const output = await mustGit(git, ['check-attr', '-z', '--stdin', ...more, 'filter'], { input: joinNul(paths) });
  const items = splitNul(output);
  const filtered: BlockedPath[] = [];
  for (let at = 0; at + 2 < items.length; at += 3) {
    const driver = items[at + 2] ?? '';
    if (driver === 'unspecified' || driver === 'unset') continue;
    filtered.push({ path: items[at] ?? '', why: `has the filter ${toShown(driver)}, which the fleet does not run` });
  }
  return filtered;
}
