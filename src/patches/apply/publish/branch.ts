import { askGit } from '../../../git/git.ts';
import { createPlumbing } from '../../../git/repository.ts';
import { PatchError } from '../../patch-error.ts';
import { isCheckedOut, type PersonTree } from '../person/person-tree.ts';
import { parseIdentity, toCommitterVariables } from '../plan/make-commit.ts';

export interface TargetBranch {
  /** `refs/heads/…` */
  name: string;
  /** The commit that it is at. Null: it does not exist yet, and begins at HEAD. */
  at: string | null;
}

/** Finds the branch to which commits go. @param short name, without `refs/heads/`. @throws PatchError if it cannot be moved */
export async function openBranch(tree: PersonTree, short: string, signal: AbortSignal): Promise<TargetBranch> {
  const git = await createPlumbing(tree.repository, signal);
  const name = `refs/heads/${short}`;
  const isValid = !short.startsWith('-') && (await git(['check-ref-format', name])).code === 0;
  if (!isValid) throw new PatchError(`--branch ${JSON.stringify(short)}: git takes no such name for a branch`);
  if (short.startsWith('fleet/')) {
    throw new PatchError(`--branch ${short}: branches under fleet/ belong to tasks; choose another name`);
  }
  if (await isCheckedOut(tree.repository, name)) {
    throw new PatchError(`--branch ${short}: a working tree is on it; leave --branch out, or choose another name`);
  }
  const found = await git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
  return { name, at: found.code === 0 && found.stdout !== null ? found.stdout.toString('utf8').trim() : null };
}

/** Moves the branch to a commit, or makes it there. @throws PatchError if it moved meanwhile */
export async function moveTarget(
  tree: PersonTree,
  { name, at }: TargetBranch,
  { to, reason, author }: { to: string; reason: string; author: string },
): Promise<void> {
  const git = await createPlumbing(tree.repository, new AbortController().signal);
  const committer = tree.committer ?? parseIdentity(author);
  const args = ['update-ref', '--no-deref', '-m', reason, name, to, at ?? ''];
  const { code, output } = await git(args, { env: toCommitterVariables(committer) });
  if (code === 0) return;
  const now = await askGit(git, ['rev-parse', '--verify', '--quiet', name]).catch(() => null);
  if (now !== to) throw new PatchError(`${name}: cannot be moved; nothing was changed: ${output.trim()}`);
}
