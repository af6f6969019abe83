import { copyFile, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cleanConfig } from '../../../git/clean-config.ts';
import { askGit, createGit, mustGit, type Git } from '../../../git/git.ts';
import { listRefs, makeGitDir, withView } from '../../../git/git-dir.ts';
import { readHead, type Head } from '../../../git/head.ts';
import { createPlumbing, findRepository, isRepository, type Repository } from '../../../git/repository.ts';
import { withWorkspaceLock } from '../files/workspace-lock.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { putEntries } from './entries.ts';
import type { OwnTree, WorkspaceContext } from '../tool.ts';
import { makeScratch } from '../../../git/scratch.ts';

/** Where a git command works. */
export interface Scene {
  /** Runs git in the command's folder, on a private git directory. */
  git: Git;
  /** Absolute folder of the working tree. */
  top: string;
  /** Null: there is no commit yet. */
  head: Head | null;
  /** A git that changes refs. In the shared tree these are the person's. */
  refs: Git;
  /** The person's repository, in whose shared tree the task works. Null: the task's own tree. */
  shared: Repository | null;
  /** The host's paths in a text become `.git` and `.`. */
  hide(text: string): string;
}

const NOT_OWN =
  "git: this is a repository inside the task's own tree; nothing of it is kept. Change the files of the workspace's repository";

/**
 * Opens the repository of a folder for a command.
 * @param changes whether the command changes anything; the others hold no lock, and see the index of the person
 * @throws ToolRefusal if there is no repository, or one that may not be used
 */
export async function withScene<T>(
  folder: string,
  changes: boolean,
  context: WorkspaceContext,
  work: (scene: Scene) => Promise<T>,
): Promise<T> {
  const { root, own } = context.workspace;
  if (own !== undefined) return await withOwnTree(folder, own, context, work);
  const repository = await requireRepository(folder, root, context.signal);
  const isUntouched = context.workspace.prepareWrite !== undefined || context.state.staged.size === 0;
  if (!changes && isUntouched) {
    const head = await readHead(repository, context.signal);
    const { top, gitDir: theirs } = repository;
    return await withView(repository, folder, context.signal, (git, gitDir) =>
      work({ git, top, head, refs: git, shared: repository, hide: hide(root, theirs, gitDir, dirname(gitDir)) }),
    );
  }
  return await withWorkspaceLock(context, (signal) => withSharedTree(folder, repository, { ...context, signal }, work));
}

async function requireRepository(folder: string, root: string, signal: AbortSignal): Promise<Repository> {
  const found = await findRepository(folder, root, signal);
  if (isRepository(found)) return found;
  throw new ToolRefusal(`git: ${found?.problem ?? 'there is no repository here, inside the workspace'}`);
}

async function withOwnTree<T>(
  folder: string,
  own: OwnTree,
  context: WorkspaceContext,
  work: (scene: Scene) => Promise<T>,
): Promise<T> {
  const { root } = context.workspace;
  for (let at = folder; at !== root; at = dirname(at)) {
    if ((await findRepository(at, at, context.signal)) !== null) throw new ToolRefusal(NOT_OWN);
  }
  return await withWorkspaceLock(context, async (signal) => {
    await cleanConfig(own.gitDir);
    const place = { gitDir: own.gitDir, workTree: root, objects: own.objects };
    const git = await createGit({ ...place, cwd: folder }, own.personRoot, signal);
    const commit = await askGit(git, ['rev-parse', 'HEAD^{commit}']);
    const branch = await askGit(git, ['symbolic-ref', 'HEAD']);
    return await work({
      git,
      top: root,
      head: { commit, branch },
      refs: git,
      shared: null,
      hide: hide(root, own.gitDir, dirname(own.objects), own.personRoot),
    });
  });
}

/** The person's tree with an index of the task's own: HEAD, and what the task has staged. */
async function withSharedTree<T>(
  folder: string,
  repository: Repository,
  context: WorkspaceContext,
  work: (scene: Scene) => Promise<T>,
): Promise<T> {
  const { signal, state } = context;
  const { top, gitDir: theirs, indexFile: theirIndex, objects, root } = repository;
  const place = await makeScratch();
  try {
    const gitDir = join(place, 'git');
    const indexFile = join(place, 'index');
    const at = (await readFile(join(theirs, 'HEAD'), 'utf8')).trim();
    await makeGitDir(gitDir, repository, { head: at, refs: await listRefs(repository, signal) });
    await copyFile(theirIndex, indexFile).catch(() => undefined); // it spares git reading files that did not change
    const git = await createGit({ gitDir, workTree: top, indexFile, objects, cwd: folder }, root, signal);
    const head = await readHead(repository, signal);
    await mustGit(git, ['read-tree', ...(head === null ? ['--empty'] : ['--reset', head.commit])]);
    await putEntries(git, state.staged);
    const refs = await createPlumbing(repository, signal);
    return await work({ git, top, head, refs, shared: repository, hide: hide(root, theirs, gitDir, place) });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function hide(root: string, ...gitDirs: string[]): (text: string) => string {
  return (text) => gitDirs.reduce((out, path) => out.replaceAll(path, '.git'), text).replaceAll(root, '.');
}
