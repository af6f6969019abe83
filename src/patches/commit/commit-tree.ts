import type { GitAuthor } from '../../config/git-author.ts';
import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { askGit, mustGit, type Git } from '../../git/git.ts';
import type { Repository } from '../../git/repository.ts';
import { copyOwnObjects } from './own-objects.ts';
import { findChangedPaths, isPackages, readOwnHead, type PathRules } from './changed-paths.ts';
import { copyIndex } from '../task-tree/base-index.ts';
import { createTreeGit } from '../task-tree/tree-git.ts';
import type { LeftOut, TaskTree } from '../task-tree/types.ts';

/** Line endings that git would ask about are written as the attributes say. */
const NO_QUESTIONS = ['-c', 'core.safecrlf=false'] as const;

export interface TreeCommit {
  /** The same as the tree's base if nothing changed. */
  head: string;
  leftOut: LeftOut[];
  /** Message of the only commit that the task made itself, if nothing was left to commit. Null: the given one holds. */
  ownMessage: string | null;
}

/**
 * Commits what a tree holds besides its base. Commits of the task's own stay if they hold nothing that is left out; what
 * remains becomes one more. No branch of the person's moves.
 * @throws GitError
 */
export async function commitTree(
  tree: TaskTree,
  repository: Repository,
  rules: PathRules,
  { message, author }: { message: string; author: GitAuthor },
  signal: AbortSignal,
): Promise<TreeCommit> {
  const { base } = tree.info;
  const indexFile = toScratch(tree);
  try {
    await copyIndex(join(tree.gitDir, 'base-index'), indexFile);
    const own = await createTreeGit(tree, repository, signal);
    const git = await createTreeGit(tree, repository, signal, indexFile);
    const { leftOut, ...changed } = await findChangedPaths(tree, { own, beside: git }, rules);
    const unchanged = { head: base, leftOut, ownMessage: null };
    if (changed.written.length + changed.deleted.length === 0) return unchanged;
    const content = await writeContent(git, changed);
    const [baseContent, parent] = await Promise.all([toContent(git, base), chooseParent(git, tree, leftOut)]);
    if (content === baseContent) return unchanged;
    await copyOwnObjects(tree, repository, { content, parent }, signal);
    if (parent !== base && (await toContent(git, parent)) === content) {
      return { head: parent, leftOut, ownMessage: await readOnlyMessage(git, base, parent) };
    }
    const env = toAuthorEnvironment(author);
    return { ...unchanged, head: await askGit(git, ['commit-tree', content, '-p', parent], { input: message, env }) };
  } finally {
    await unlink(indexFile).catch(() => undefined);
  }
}

/**
 * Whether everything in a tree is in a commit, too: then the tree can go. What git ignores and installed packages do not count.
 */
export async function isHeldBy(
  commit: string,
  tree: TaskTree,
  repository: Repository,
  rules: PathRules,
  signal: AbortSignal,
): Promise<boolean> {
  const indexFile = toScratch(tree);
  try {
    await copyIndex(join(tree.gitDir, 'base-index'), indexFile);
    const own = await createTreeGit(tree, repository, signal);
    const git = await createTreeGit(tree, repository, signal, indexFile);
    const { leftOut, ...changed } = await findChangedPaths(tree, { own, beside: git }, rules);
    if (leftOut.some(({ path }) => !isPackages(path))) return false;
    return (await writeContent(git, changed)) === (await toContent(git, commit));
  } finally {
    await unlink(indexFile).catch(() => undefined);
  }
}

function toScratch({ gitDir }: TaskTree): string {
  return join(gitDir, `commit-index-${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** @param git on an index that holds the base @returns id of the tree object: the base with the changes */
async function writeContent(
  git: Git,
  { written, deleted }: { written: readonly string[]; deleted: readonly string[] },
): Promise<string> {
  const toInput = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join('');
  if (deleted.length > 0) {
    await mustGit(git, ['update-index', '-z', '--force-remove', '--stdin'], { input: toInput(deleted) });
  }
  if (written.length > 0) {
    const args = [...NO_QUESTIONS, 'update-index', '-z', '--add', '--replace', '--stdin'];
    await mustGit(git, args, { input: toInput(written) });
  }
  return await askGit(git, ['write-tree']);
}

/** The task's last commit if it comes from the base and nothing that must not leave the tree is in its history. */
async function chooseParent(
  git: Git,
  { gitDir, info: { base } }: TaskTree,
  leftOut: readonly LeftOut[],
): Promise<string> {
  if ((await readOwnHead(gitDir)) === base) return base;
  const { code, stdout } = await git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  const head = code === 0 ? (stdout?.toString('utf8').trim() ?? base) : base;
  if (head === base || (await git(['merge-base', '--is-ancestor', base, head])).code !== 0) return base;
  const listed = await git(['log', '-z', '--format=', '--name-only', '--no-renames', '-m', `${base}..${head}`]);
  if (listed.code !== 0 || listed.stdout === null) return base; // an object is missing
  const touched = new Set(listed.stdout.toString('utf8').split('\0'));
  return leftOut.some(({ path }) => touched.has(path)) ? base : head;
}

async function toContent(git: Git, commit: string): Promise<string> {
  return await askGit(git, ['rev-parse', `${commit}^{tree}`]);
}

async function readOnlyMessage(git: Git, base: string, head: string): Promise<string | null> {
  if ((await askGit(git, ['rev-list', '--count', `${base}..${head}`])) !== '1') return null;
  return await askGit(git, ['log', '-1', '--format=%B', head]);
}

function toAuthorEnvironment({ name, email }: GitAuthor): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}
