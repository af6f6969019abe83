import { askGit, mustGit, type Git } from '../../../git/git.ts';
import type { PatchRecord } from '../../types.ts';

/** Commits after a patch's base that are compared with it. */
const COMPARED = 1_000;

/**
 * Finds a patch that a person has merged or picked by hand, and not reverted since.
 * @param onto the commit in whose history it may be
 * @returns the commit that holds it; null: none does
 * @throws GitError
 */
export async function findApplied(git: Git, record: PatchRecord, text: Buffer, onto: string): Promise<string | null> {
  const { base, head, undone } = record;
  if (onto === base || !(await isCommit(git, base))) return null;
  if (undone !== null) return await findPicked(git, record, text, undone.commit, onto); // what came before was taken back
  if (head !== base && (await isCommit(git, head)) && (await isAncestor(git, head, onto))) {
    return (await findNewest(git, record, text, head, onto))?.isRevert === true ? null : head;
  }
  const fork = await git(['merge-base', base, onto]);
  const since = fork.stdout?.toString('utf8').trim();
  return fork.code !== 0 || since === undefined ? null : await findPicked(git, record, text, since, onto);
}

async function findPicked(
  git: Git,
  record: PatchRecord,
  text: Buffer,
  since: string,
  onto: string,
): Promise<string | null> {
  const newest = await findNewest(git, record, text, since, onto);
  return newest === null || newest.isRevert ? null : newest.commit;
}

/** Finds the newest commit since another one that changes the same as the patch, or takes that back. */
async function findNewest(
  git: Git,
  record: PatchRecord,
  text: Buffer,
  since: string,
  onto: string,
): Promise<{ commit: string; isRevert: boolean } | null> {
  if (since === onto || !(await isCommit(git, since))) return null;
  const [own] = await listPatchIds(git, text);
  if (own === undefined) return null;
  const back = await findRevertId(git, record);
  const paths = await listPaths(git, text);
  const range = ['log', '-p', `-${COMPARED}`, '--no-merges', '--full-index', '--no-ext-diff', '--no-textconv'];
  const log = await git([...range, '--format=commit %H', `${since}..${onto}`, '--', ...paths.map(toPathspec)]);
  if (log.code !== 0 || log.stdout === null) return null; // more than is held: not compared
  const commits = await listPatchIds(git, log.stdout);
  const found = commits.find(({ id }) => id === own.id || id === back);
  return found === undefined ? null : { commit: found.commit, isRevert: found.id === back };
}

/** @returns null: the repository no longer holds the patch's commits */
async function findRevertId(git: Git, { base, head }: PatchRecord): Promise<string | null> {
  const { code, stdout } = await git(['diff-tree', '-r', '-p', '--no-renames', '--full-index', head, base]);
  return code !== 0 || stdout === null ? null : ((await listPatchIds(git, stdout))[0]?.id ?? null);
}

export async function isCommit(git: Git, id: string): Promise<boolean> {
  return (await git(['cat-file', '-e', `${id}^{commit}`])).code === 0;
}

export async function isAncestor(git: Git, commit: string, of: string): Promise<boolean> {
  return (await git(['merge-base', '--is-ancestor', commit, of])).code === 0;
}

async function listPatchIds(git: Git, text: Buffer): Promise<{ id: string; commit: string }[]> {
  const listed = await askGit(git, ['patch-id', '--stable'], { input: text });
  return listed
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', commit = ''] = line.split(' ');
      return { id, commit };
    });
}

async function listPaths(git: Git, text: Buffer): Promise<string[]> {
  const listed = await mustGit(git, ['apply', '--numstat', '-z', '-'], { input: text });
  return listed
    .toString('utf8')
    .split('\0')
    .map((line) => line.split('\t')[2] ?? '')
    .filter(Boolean);
}

function toPathspec(path: string): string {
  return `:(top,literal)${path}`;
}
