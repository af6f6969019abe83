import { copyFile, readFile, rename, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../../files/make-folder.ts';
import { askGit, mustGit, type Git } from '../../../git/git.ts';
import { readHead } from '../../../git/head.ts';
import { createPlumbing } from '../../../git/repository.ts';
import { PatchError } from '../../patch-error.ts';
import type { StateMark } from '../../types.ts';
import { joinNul, toLocation, toShown } from '../person/byte-path.ts';
import { findDirty } from '../person/find-dirty.ts';
import type { Identity } from '../person/person-settings.ts';
import type { PersonTree } from '../person/person-tree.ts';
import { openScratchGit, type Scratch } from '../person/scratch.ts';
import { listTreeChanges, type TreeChange } from '../person/tree-changes.ts';
import { toCommitterVariables } from '../plan/make-commit.ts';
import { readFingerprint } from './fingerprint.ts';
import { takeIndexLock, type IndexLock } from './index-lock.ts';
import { writeJournal, type Journal, type PlacedPath } from './journal.ts';
import {
  listWrittenLate,
  placeFiles,
  pruneFolders,
  takeFilesBack,
  toStaged,
  TreeMovedError,
  type Site,
} from './place-files.ts';

export interface TreeStep {
  /** The commit to which HEAD goes. */
  to: string;
  /** Line of the reflog. */
  reason: string;
  committer: Identity;
  marks: StateMark[];
}

/** A change cannot be ended by a signal: it is short, and half of it is of no use. */
const { signal: endless } = new AbortController();

/**
 * Moves the person's HEAD, index and working tree to a commit that is made on HEAD. Files are replaced first, then the
 * branch moves, then the index: the branch is the point of no return, and a command that is killed before or after it is taken
 * back or finished by the next one (`recover.ts`). The journal stays until the caller has stored the marks.
 * @returns shown paths of which a version that the person wrote at the last moment is kept, with where. Empty: none
 * @throws TreeMovedError if HEAD or a file moved; PatchError; GitError: nothing was changed
 */
export async function changeTree(tree: PersonTree, scratch: Scratch, step: TreeStep): Promise<string[]> {
  const { repository, head } = tree;
  const site: Site = { top: repository.top, folder: scratch.folder };
  const lock = await takeIndexLock(repository, scratch.folder);
  let isInstalled = false;
  try {
    const journal = await prepare(tree, scratch, step);
    try {
      await placeFiles(site, journal.paths);
      await lock.fill(await readNextIndex(tree, scratch));
      await moveBranch(tree, { from: head.commit, ...step });
    } catch (error) {
      throw await withKept(error, site, await takeFilesBack(site, journal.paths));
    }
    await lock.install();
    isInstalled = true;
    await pruneFolders(site, journal.paths);
    return await keepLate(site, journal.paths);
  } finally {
    if (!isInstalled) await releaseQuietly(lock);
  }
}

/** Makes everything ready without an effect on the person's tree. */
async function prepare(tree: PersonTree, scratch: Scratch, { to, marks }: TreeStep): Promise<Journal> {
  const { repository, head } = tree;
  const now = await readHead(repository, endless);
  if (now?.commit !== head.commit || now.branch !== head.branch) {
    throw new TreeMovedError(`workspace ${tree.workspace}: HEAD moved meanwhile; nothing was changed, try again`);
  }
  const changes = await listTreeChanges(await openScratchGit(tree, scratch, endless), head.commit, to);
  const before = await readBefore(repository.top, changes);
  const [dirty] = await findDirty(tree, scratch, changes, endless);
  if (dirty !== undefined) throw new TreeMovedError(`${toShown(dirty.path)}: ${dirty.why}; nothing was changed`);
  const index = await openIndexGit(tree, scratch, await copyIndex(tree, scratch));
  await mustGit(index, ['-c', 'core.splitIndex=false', 'read-tree', '-i', '-m', head.commit, to]);
  const paths = await stageFiles(tree, scratch, changes, before);
  const journal: Journal = { version: 1, branch: head.branch, from: head.commit, to, paths, marks };
  await writeJournal(scratch.folder, journal);
  return journal;
}

async function readBefore(top: string, changes: readonly TreeChange[]): Promise<(string | null)[]> {
  return await Promise.all(
    changes.map(async ({ path, old }) =>
      old === null ? null : await readFingerprint(toLocation(top, path)).catch(() => null),
    ),
  );
}

/** Writes the new files beside the tree, as a checkout writes them. */
async function stageFiles(
  tree: PersonTree,
  scratch: Scratch,
  changes: readonly TreeChange[],
  before: readonly (string | null)[],
): Promise<PlacedPath[]> {
  const site: Site = { top: tree.repository.top, folder: scratch.folder };
  const workTree = join(scratch.folder, 'new');
  await makeFolder(workTree);
  const added = changes.filter(({ next }) => next !== null).map(({ path }) => path);
  const git = await openScratchGit(tree, scratch, endless, { indexFile: toNextIndex(scratch), workTree });
  if (added.length > 0) await mustGit(git, ['checkout-index', '-q', '-z', '--stdin'], { input: joinNul(added) });
  return await Promise.all(
    changes.map(async ({ path, next }, at) => {
      const after = next === null ? null : await readFingerprint(toStaged(site, path));
      if (next !== null && after === null) throw new PatchError(`${toShown(path)}: git cannot write it here`);
      return { path, before: before[at] ?? null, after };
    }),
  );
}

const toNextIndex = ({ folder }: Scratch): string => join(folder, 'index');

/**
 * Copies the person's index. The copy gets the second of the original: by this time git tells which files may have changed
 * without a trace in their own times.
 */
async function copyIndex({ repository }: PersonTree, scratch: Scratch): Promise<string> {
  const copy = toNextIndex(scratch);
  await copyFile(repository.indexFile, copy);
  const { mtimeMs } = await stat(repository.indexFile);
  const second = Math.floor(mtimeMs / 1000);
  await utimes(copy, second, second);
  return copy;
}

async function openIndexGit(tree: PersonTree, scratch: Scratch, indexFile: string): Promise<Git> {
  return await openScratchGit(tree, scratch, endless, { indexFile });
}

/** Notes the times of the new files in the next index. */
async function readNextIndex(tree: PersonTree, scratch: Scratch): Promise<Buffer> {
  const git = await openIndexGit(tree, scratch, toNextIndex(scratch));
  await git(['-c', 'core.splitIndex=false', 'update-index', '-q', '--refresh']); // exits 1 where the person changed other files
  return await readFile(toNextIndex(scratch));
}

/** @throws TreeMovedError if the branch is no longer at `from` */
async function moveBranch(
  { repository, head }: PersonTree,
  { from, to, reason, committer }: TreeStep & { from: string },
): Promise<void> {
  const git = await createPlumbing(repository, endless);
  const detached = head.branch === null ? ['--no-deref'] : [];
  const args = ['update-ref', ...detached, '-m', reason, head.branch ?? 'HEAD', to, from];
  const { code, output } = await git(args, { env: toCommitterVariables(committer) });
  if (code === 0) return;
  if ((await askGit(git, ['rev-parse', 'HEAD'])) === to) return; // git told so late
  throw new TreeMovedError(`${head.branch ?? 'HEAD'}: cannot be moved; nothing was changed: ${output.trim()}`);
}

async function keepLate(site: Site, paths: readonly PlacedPath[]): Promise<string[]> {
  const late = await listWrittenLate(site, paths);
  if (late.length === 0) return [];
  const folder = await keepFolder(site);
  return late.map(
    (path) => `${toShown(path)}: written to while it was replaced; that version is kept in ${folder}/old`,
  );
}

/** Names in the error what of the person's could not be put back, because the person wrote there meanwhile. */
async function withKept(error: unknown, site: Site, kept: readonly string[]): Promise<unknown> {
  if (kept.length === 0) return error;
  const folder = await keepFolder(site);
  const names = kept.map(toShown).join(', ');
  return new PatchError(`${names}: written to while it was replaced; the version before is kept in ${folder}/old`, {
    cause: error,
  });
}

/** Gives the command's folder a name under which no later command removes it. */
export async function keepFolder({ folder }: Pick<Site, 'folder'>): Promise<string> {
  const kept = join(dirname(folder), `kept-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  await rename(folder, kept);
  return kept;
}

async function releaseQuietly(lock: IndexLock): Promise<void> {
  await lock.release().catch(() => undefined); // the person removed it by hand
}
