import { hostname } from 'node:os';
import { join } from 'node:path';
import { commitTree } from '../../src/patches/commit/commit-tree.ts';
import { describeDiff } from '../../src/patches/commit/describe-diff.ts';
import { openTree } from '../../src/patches/task-tree/open-tree.ts';
import { createTreeGit } from '../../src/patches/task-tree/tree-git.ts';
import type { TaskTree, TreeSettings } from '../../src/patches/task-tree/types.ts';
import { isGuardedName } from '../../src/haiku/tools/files/secret-names.ts';
import { findRepository, isRepository, type Repository } from '../../src/git/repository.ts';
import { makeFolder } from './folder.ts';
import { runGit } from './person-git.ts';

const { signal } = new AbortController();

/** Trees of tasks in one repository, as a worker makes and commits them. */
export async function createTrees(root: string, more: Partial<TreeSettings> = {}) {
  const data = makeFolder();
  const settings: TreeSettings = {
    worktrees: join(data, 'worktrees'),
    links: [],
    author: { name: 'haiku-fleet', email: 'worker@haiku-fleet.invalid' },
    isGuarded: isGuardedName,
    ...more,
  };
  const open = async (taskId = 't1', tree = 'aa', commit = runGit(root, 'rev-parse', 'HEAD')): Promise<TaskTree> => {
    const owner = { taskId, findingId: `f-${taskId}`, workspace: 'site', repository: await find(), swarm: 'fleet' };
    const base = { tree, commit, buildsOn: [] };
    return await openTree(base, { ...owner, host: hostname(), isRebuilding: false }, settings, signal);
  };
  const find = async (): Promise<Repository> => {
    const found = await findRepository(root, root, signal);
    if (!isRepository(found)) throw new Error(`no repository: ${JSON.stringify(found)}`);
    return found;
  };
  return {
    settings,
    find,
    open,
    /** Commits what a tree holds. @returns the changes as lines of text, and what was left out */
    async commit(tree: TaskTree, rules: { files?: string[]; toolsWrote?: string[] } = {}) {
      const repository = await find();
      const { author, isGuarded } = settings;
      const all = { files: [], toolsWrote: [], ...rules, isGuarded };
      const done = await commitTree(tree, repository, all, { message: 'Done\n', author }, signal);
      const { changes } = await describeDiff(await createTreeGit(tree, repository, signal), tree.info.base, done.head);
      return {
        ...done,
        changed: changes.map(({ path, added, removed, lines }) => `${path} +${added} -${removed} ${lines}`),
        leftOut: done.leftOut.map(({ path, why }) => `${path}: ${why}`),
      };
    },
  };
}
