import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError, type Git } from '../../git/git.ts';
import { createPlumbing, type Repository } from '../../git/repository.ts';
import type { TreeInfo } from './types.ts';

const NOTHING = '';

/**
 * Makes sure that the person's repository has the task's branch, and that no branch of anybody else's moves: only a branch
 * that is where the fleet left it is taken for the task's. Otherwise the task gets another name.
 * @returns name of the branch, without `refs/heads/`
 * @throws GitError if no branch can be made
 */
export async function ensureBranch(repository: Repository, info: TreeInfo, signal: AbortSignal): Promise<string> {
  const git = await createPlumbing(repository, signal);
  const known = [info.base, ...info.heads];
  const last = known.at(-1) ?? info.base;
  if (await update(git, info.branch, last, NOTHING)) return info.branch;
  for (const name of toNames(info)) {
    const now = await readRef(git, name);
    if (now !== null && known.includes(now) && !(await isCheckedOut(repository, name))) return name;
    if (now === null && (await update(git, name, last, NOTHING))) return name;
  }
  throw new GitError(`git update-ref: no branch ${info.branch} can be made in this repository`);
}

/**
 * Moves the task's branch to a commit, from where the fleet left it.
 * @returns name of the branch: another one if somebody else moved it
 */
export async function moveBranch(
  repository: Repository,
  info: TreeInfo,
  head: string,
  signal: AbortSignal,
): Promise<string> {
  const git = await createPlumbing(repository, signal);
  const from = info.heads.filter((each) => each !== head).at(-1) ?? info.base;
  const isFree = !(await isCheckedOut(repository, info.branch));
  if (isFree && (await update(git, info.branch, head, from))) return info.branch;
  const name = await ensureBranch(repository, info, signal);
  const now = await readRef(git, name);
  if (now === head || (now !== null && (await update(git, name, head, now)))) return name;
  throw new GitError(`git update-ref: the branch ${name} moved meanwhile`);
}

/** Deletes the task's branch if it is at this commit, and nobody works on it. @returns whether it is gone */
export async function deleteBranch(
  repository: Repository,
  branch: string,
  commit: string,
  signal: AbortSignal,
): Promise<boolean> {
  const git = await createPlumbing(repository, signal);
  const now = await readRef(git, branch);
  if (now === null) return true;
  if (now !== commit || (await isCheckedOut(repository, branch))) return false;
  return (await git(['update-ref', '--no-deref', '-d', `refs/heads/${branch}`, commit])).code === 0;
}

/** The task's name first. A branch `fleet` of the person's makes `fleet/…` impossible. */
function toNames({ branch, tree }: TreeInfo): string[] {
  return [branch, `${branch}-${tree}`, `haiku-${branch}`, `haiku-${branch}-${tree}`];
}

/** Whether some working tree of the person's is on the branch: moving it would look there like changes of theirs. */
async function isCheckedOut({ commonDir }: Repository, name: string): Promise<boolean> {
  const linked = await readdir(join(commonDir, 'worktrees')).catch(() => []);
  const heads = [join(commonDir, 'HEAD'), ...linked.map((each) => join(commonDir, 'worktrees', each, 'HEAD'))];
  const texts = await Promise.all(heads.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.some((text) => text.trim() === `ref: refs/heads/${name}`);
}

async function readRef(git: Git, name: string): Promise<string | null> {
  const { code, stdout } = await git(['rev-parse', '--verify', '--quiet', `refs/heads/${name}`]);
  return code === 0 && stdout !== null ? stdout.toString('utf8').trim() : null;
}

/** @param from commit that the branch is at; empty: it must not exist */
async function update(git: Git, name: string, to: string, from: string): Promise<boolean> {
  const message = 'haiku-fleet: a task';
  const { code } = await git(['update-ref', '--no-deref', '-m', message, `refs/heads/${name}`, to, from]);
  return code === 0;
}
