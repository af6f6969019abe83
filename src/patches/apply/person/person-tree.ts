import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readHead, type Head } from '../../../git/head.ts';
import { findRepository, isRepository, type Repository } from '../../../git/repository.ts';
import { PatchError } from '../../patch-error.ts';
import { readPersonSettings, type Identity } from './person-settings.ts';

/** A person's working tree, to which patches are applied. */
export interface PersonTree {
  /** Name of the workspace. */
  workspace: string;
  repository: Repository;
  head: Head;
  /** Null: the person's configuration names nobody. */
  committer: Identity | null;
}

/** Files of a git directory that exist while the person is in the middle of something. */
const UNFINISHED: readonly [file: string, what: string][] = [
  ['MERGE_HEAD', 'a merge'],
  ['rebase-merge', 'a rebase'],
  ['rebase-apply', 'a rebase'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick'],
  ['REVERT_HEAD', 'a revert'],
  ['sequencer', 'a cherry-pick or revert'],
  ['BISECT_LOG', 'a bisect'],
];

/**
 * Opens the repository of a workspace.
 * @param folders path by name of workspace: `FLEET_WORKSPACES`
 * @throws PatchError if this host has no such workspace or it is no repository with a commit; GitError
 */
export async function openPersonTree(
  workspace: string,
  folders: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<PersonTree> {
  const shown = `workspace ${workspace}`;
  const folder = folders[workspace];
  if (folder === undefined) {
    throw new PatchError(`${shown}: not in FLEET_WORKSPACES here; run the command on a host that has it`);
  }
  const root = await realpath(folder).catch(() => null);
  if (root === null) throw new PatchError(`${shown}: the folder ${folder} does not exist`);
  const found = await findRepository(root, root, signal);
  if (found === null) throw new PatchError(`${shown}: ${root} is no git repository`);
  if (!isRepository(found)) throw new PatchError(`${shown}: ${found.problem}`);
  const { committer, looks } = await readPersonSettings(found, signal);
  const repository = { ...found, settings: { ...found.settings, ...looks } };
  const head = await readHead(repository, signal);
  if (head === null) throw new PatchError(`${shown}: HEAD has no commit yet; make one first`);
  return { workspace, repository, head, committer };
}

/**
 * Asserts that HEAD and the working tree can be moved.
 * @throws PatchError while the person is in the middle of a merge, rebase, cherry-pick, revert or bisect, or where another working tree
 * is on the same branch
 */
export async function assertMovable({ workspace, repository, head }: PersonTree): Promise<void> {
  for (const [file, what] of UNFINISHED) {
    if ((await lstat(join(repository.gitDir, file)).catch(() => null)) === null) continue;
    throw new PatchError(`workspace ${workspace}: ${what} is not finished there; finish or abort it first`);
  }
  const [other] = head.branch === null ? [] : await listOtherTrees(repository, head.branch);
  if (other === undefined) return;
  const branch = head.branch?.replace('refs/heads/', '') ?? '';
  throw new PatchError(
    `${branch} is checked out in another working tree too (${other}); switch one of them to another branch`,
  );
}

/** Lists the other working trees of the repository that are on a branch. @returns the git directory of each */
async function listOtherTrees({ gitDir, commonDir }: Repository, branch: string): Promise<string[]> {
  const found: string[] = [];
  for (const each of await listGitDirs(commonDir)) {
    if (each !== gitDir && (await readHeadFile(each)) === `ref: ${branch}`) found.push(each);
  }
  return found;
}

/** Whether any working tree of the repository is on a branch. @param branch full name */
export async function isCheckedOut({ commonDir }: Repository, branch: string): Promise<boolean> {
  const heads = await Promise.all((await listGitDirs(commonDir)).map(readHeadFile));
  return heads.includes(`ref: ${branch}`);
}

async function listGitDirs(commonDir: string): Promise<string[]> {
  const linked = await readdir(join(commonDir, 'worktrees')).catch(() => []);
  return [commonDir, ...linked.map((name) => join(commonDir, 'worktrees', name))];
}

async function readHeadFile(gitDir: string): Promise<string> {
  return (await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '')).trim();
}
