import { randomBytes } from 'node:crypto';
import type { TaskData } from '../../../queues/tasks.ts';
import { GitError } from '../../git/git.ts';
import { readHead } from '../../git/head.ts';
import { findRepository, isRepository, type Repository } from '../../git/repository.ts';
import type { TreeBase } from '../../patches/task-tree/types.ts';

/** Where a task works, and what its first message says of it. */
export interface Beginning {
  /** Absent: the shared tree. */
  base?: TreeBase;
  /** The end of the line about git. Null: nothing is to be said. */
  said: string | null;
}

/** Characters of a commit's id that are shown. */
const SHORT = 7;
const SHARED: Beginning = { said: null };

/**
 * Finds the repository that a workspace is: one whose working tree begins at the workspace's folder.
 * @returns why there is none, for a model; null: no git
 */
export async function findOwnRepository(root: string, signal: AbortSignal): Promise<Repository | string | null> {
  try {
    const found = await findRepository(root, root, signal);
    return found === null || isRepository(found) ? found : found.problem;
  } catch (error) {
    if (error instanceof GitError) return null; // git is not installed
    throw error;
  }
}

/** Decides whether a task that begins now gets a tree of its own once it writes, and from which commit. */
export async function beginTask(
  task: Pick<TaskData, 'isolate'>,
  found: Repository | string | null,
  signal: AbortSignal,
): Promise<Beginning> {
  if (task.isolate === false || found === null) return SHARED;
  if (typeof found === 'string') return { said: toSharedLine(found) };
  const head = await readHead(found, signal);
  if (head === null) return { said: toSharedLine('the repository has no commit yet') };
  const base = { tree: randomBytes(6).toString('hex'), commit: head.commit, buildsOn: [] };
  const from = head.commit.slice(0, SHORT);
  return {
    base,
    said: `You work in a tree of your own once you write, from commit ${from}; uncommitted changes of the person are not in it`,
  };
}

function toSharedLine(why: string): string {
  return `You work in the person's own tree: ${why}`;
}
