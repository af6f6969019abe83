import { GitError } from '../../../git/git.ts';
import { createPlumbing, type Repository } from '../../../git/repository.ts';
import { isPackages, type PathRules } from '../../commit/changed-paths.ts';
import { commitTree, isHeldBy } from '../../commit/commit-tree.ts';
import type { PatchHost } from '../../patch-host.ts';
import type { LeftOut, TaskTree } from '../../task-tree/types.ts';
import type { PatchRecord } from '../../types.ts';

export interface TreeWork {
  /** Commit of all that the tree holds; no branch moves there. Null: it holds what its base does. */
  commit: string | null;
  /** Whether the patch holds other files than this commit. */
  isMore: boolean;
  /** What cannot be committed, apart from installed packages. */
  leftOut: LeftOut[];
}

/** What is known of a tree that is to go. */
export interface LeftTree {
  tree: TaskTree;
  repository: Repository;
  /** Null: its task has no patch. */
  record: PatchRecord | null;
}

/** Whether a commit of the fleet's holds all that a tree does. */
export async function isSaved(
  host: PatchHost,
  { tree, repository, record }: LeftTree,
  signal: AbortSignal,
): Promise<boolean> {
  if (record?.leftOut.some(({ path }) => !isPackages(path)) === true) return false;
  const commit = record?.head ?? tree.info.heads.at(-1) ?? tree.info.base;
  return await isHeldBy(commit, tree, repository, toRules(host, record), signal).catch((error: unknown) => {
    if (error instanceof GitError) return false; // git has collected the commit
    throw error;
  });
}

/** Commits what a tree holds. @throws GitError */
export async function commitWork(
  host: PatchHost,
  { tree, repository, record }: LeftTree,
  signal: AbortSignal,
): Promise<TreeWork> {
  const message = `Left in the tree of ${tree.info.task}\n\nFleet-Task: ${tree.info.task}\n`;
  const text = { message, author: host.author };
  const { head, leftOut } = await commitTree(tree, repository, toRules(host, record), text, signal);
  const all = new Map([...(record?.leftOut ?? []), ...leftOut].map((each) => [each.path, each]));
  return {
    commit: head === tree.info.base ? null : head,
    isMore:
      head !== tree.info.base && !(await haveSameFiles(repository, [head, record?.head ?? tree.info.base], signal)),
    leftOut: [...all.values()].filter(({ path }) => !isPackages(path)),
  };
}

async function haveSameFiles(repository: Repository, commits: string[], signal: AbortSignal): Promise<boolean> {
  const git = await createPlumbing(repository, signal);
  const { code, stdout } = await git(['rev-parse', ...commits.map((commit) => `${commit}^{tree}`)]);
  const [one, other] = stdout?.toString('utf8').split('\n') ?? [];
  return code === 0 && one === other;
}

/** What the patch holds is no secret that the task found. */
function toRules({ isGuarded }: PatchHost, record: PatchRecord | null): PathRules {
  return { files: record?.changes.map(({ path }) => path) ?? [], toolsWrote: [], isGuarded };
}
