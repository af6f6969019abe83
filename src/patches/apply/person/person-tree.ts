import { lstat, realpath } from 'node:fs/promises';
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

/** @throws PatchError while the person is in the middle of a merge, rebase, cherry-pick, revert or bisect */
export async function assertFinished({ workspace, repository }: PersonTree): Promise<void> {
  for (const [file, what] of UNFINISHED) {
    if ((await lstat(join(repository.gitDir, file)).catch(() => null)) === null) continue;
    throw new PatchError(`workspace ${workspace}: ${what} is not finished there; finish or abort it first`);
  }
}
