import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGit, mustGit } from '../../git/git.ts';
import type { Repository } from '../../git/repository.ts';
import { createTreeGit } from '../task-tree/tree-git.ts';
import type { TaskTree } from '../task-tree/types.ts';

/**
 * Copies objects that programs of the task wrote into its own git directory to the person's repository, where the task's
 * branch needs them.
 */
export async function copyOwnObjects(
  tree: TaskTree,
  repository: Repository,
  { content, parent }: { content: string; parent: string },
  signal: AbortSignal,
): Promise<void> {
  if (!(await hasOwnObjects(tree.gitDir))) return;
  const git = await createTreeGit(tree, repository, signal);
  const input = `${content}\n${parent}\n^${tree.info.base}\n`;
  const pack = await mustGit(git, ['pack-objects', '--revs', '--stdout', '-q'], { input });
  const place = { gitDir: tree.gitDir, workTree: null, objects: repository.objects };
  const alone = await createGit(place, repository.root, signal); // sees the person's objects only, so it writes what they lack
  await mustGit(alone, ['unpack-objects', '-q'], { input: pack });
}

async function hasOwnObjects(gitDir: string): Promise<boolean> {
  const names = await readdir(join(gitDir, 'objects'));
  const packs = await readdir(join(gitDir, 'objects', 'pack')).catch(() => []);
  return packs.length > 0 || names.some((name) => name !== 'info' && name !== 'pack');
}
