import type { Repository } from '../../git/repository.ts';
import { findFiltered, toFilterReason } from '../../patches/task-tree/filtered-files.ts';
import { createTreeGit } from '../../patches/task-tree/tree-git.ts';
import type { TaskTree } from '../../patches/task-tree/types.ts';
import type { OwnTree } from '../tools/tool.ts';

/** Returns what tools must know of a task's tree besides its root. */
export function toOwnTree(tree: TaskTree, repository: Repository): OwnTree {
  const { base, filtered, submodules } = tree.info;
  return {
    gitDir: tree.gitDir,
    objects: repository.objects,
    base,
    personRoot: repository.root,
    async findClosed(paths, signal) {
      const git = await createTreeGit(tree, repository, signal);
      const drivers = new Map(
        [...(await findFiltered(git, paths)), ...filtered].map((file) => [file.path, file.driver]),
      );
      return paths.flatMap((path) => {
        const driver = drivers.get(path);
        if (driver !== undefined) return [{ path, why: toFilterReason(driver) }];
        const isInside = submodules.some((name) => path === name || path.startsWith(`${name}/`));
        return isInside ? [{ path, why: 'it lies in a submodule' }] : [];
      });
    },
  };
}
