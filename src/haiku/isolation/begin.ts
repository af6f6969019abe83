import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { TaskData } from '../../../queues/tasks.ts';
import { GitError } from '../../git/git.ts';
import { readHead } from '../../git/head.ts';
import { findRepository, isRepository, type Repository } from '../../git/repository.ts';
import type { BuiltOn } from '../../patches/merge/built-on.ts';
import type { TreeBase } from '../../patches/task-tree/types.ts';
import { describeConflicts, describeMerge } from './describe-merge.ts';

/** Where a task works, and what its first message says of it. */
export interface Beginning {
  /** Absent: the shared tree. */
  base?: TreeBase;
  /** The end of the line about git. Null: nothing is to be said. */
  said: string | null;
  /** Names at the top of the tree that the task will have. Absent: it begins with what the workspace holds. */
  top?: string[];
  /** A block that comes before the task's files. Absent: there is none. */
  block?: string;
}

/** Characters of a commit's id that are shown. */
const SHORT = 7;
const SHARED: Beginning = { said: null };

/**
 * Finds the repository that a workspace is: one whose working tree begins at the workspace's folder, and from which trees can be
 * made.
 * @param worktrees folder of the trees
 * @returns why there is none, for a model; null: no git
 */
export async function findOwnRepository(
  root: string,
  worktrees: string,
  signal: AbortSignal,
): Promise<Repository | string | null> {
  try {
    const found = await findRepository(root, root, signal);
    if (found === null) return null;
    if (!isRepository(found)) return found.problem;
    if (worktrees.startsWith(root + sep)) return 'the fleet keeps its data in the workspace';
    return (await isPartial(found)) ? 'the repository is a partial clone, which lacks files' : found;
  } catch (error) {
    if (error instanceof GitError) return null; // git is not installed
    throw error;
  }
}

/**
 * Decides whether a task that begins now gets a tree of its own, and from which commit.
 * @param merge merges the patches on which the task builds with the person's commit. @returns null: there are none
 */
export async function beginTask(
  task: Pick<TaskData, 'isolate'>,
  found: Repository | string | null,
  signal: AbortSignal,
  merge: (repository: Repository, head: string) => Promise<BuiltOn | null>,
): Promise<Beginning> {
  if (task.isolate === false || found === null) return SHARED;
  if (typeof found === 'string') return { said: toSharedLine(found) };
  const head = await readHead(found, signal);
  if (head === null) return { said: toSharedLine('the repository has no commit yet') };
  const tree = randomBytes(6).toString('hex');
  const builtOn = await merge(found, head.commit);
  if (builtOn !== null) return toMerged(tree, builtOn);
  const base = { tree, commit: head.commit, buildsOn: [] };
  const from = head.commit.slice(0, SHORT);
  return {
    base,
    said: `You work in a tree of your own once you write, from commit ${from}; uncommitted changes of the person are not in it`,
  };
}

/** Whether git would have to fetch files from a remote, which it does not for tasks. */
async function isPartial({ objects }: Repository): Promise<boolean> {
  const packs = await readdir(join(objects, 'pack')).catch(() => []);
  return packs.some((name) => name.endsWith('.promisor'));
}

function toMerged(tree: string, { merge, patches, top }: BuiltOn): Beginning {
  const { commit, buildsOn, head, carries, start, conflicts } = merge;
  const base = { tree, commit, buildsOn, merge: { head, patches, carries, start, conflicts } };
  const block = describeConflicts(conflicts);
  return { base, said: describeMerge(head.slice(0, SHORT), patches), top, ...(block === null ? {} : { block }) };
}

function toSharedLine(why: string): string {
  return `You work in the person's own tree: ${why}`;
}
