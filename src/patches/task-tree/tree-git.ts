import { join } from 'node:path';
import { cleanConfig } from '../../git/clean-config.ts';
import { createGit, type Git } from '../../git/git.ts';
import type { Repository } from '../../git/repository.ts';
import type { TaskTree } from './types.ts';

/** What git needs to see objects that a program of the task wrote: these lie in the tree's own git directory. */
function toOwnObjects(gitDir: string): Record<string, string> {
  return { GIT_ALTERNATE_OBJECT_DIRECTORIES: join(gitDir, 'objects') };
}

/** A git in a task's tree. Its objects go into the person's repository, where branches need them. */
export async function createTreeGit(
  { root, gitDir }: Pick<TaskTree, 'root' | 'gitDir'>,
  repository: Repository,
  signal: AbortSignal,
  indexFile = join(gitDir, 'index'),
): Promise<Git> {
  await cleanConfig(gitDir);
  const place = { gitDir, workTree: root, indexFile, objects: repository.objects };
  const git = await createGit(place, repository.root, signal);
  const own = toOwnObjects(gitDir);
  return (args, call = {}) => git(args, { ...call, env: { ...own, ...call.env } });
}
