import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustGit, type Git } from '../../../git/git.ts';
import { READ_ONLY } from '../../../git/settings.ts';
import { joinNul, listParents, splitNul, toLocation, toShown, type BytePath } from './byte-path.ts';
import { PatchError } from '../../patch-error.ts';
import type { PersonTree } from './person-tree.ts';
import { openScratchGit, type Scratch } from './scratch.ts';
import { isSameEntry, SUBMODULE, type TreeChange, type TreeEntry } from './tree-changes.ts';

/** A path that cannot be replaced, and why, in words for a person. */
export interface BlockedPath {
  path: BytePath;
  why: string;
}

interface IndexEntry extends TreeEntry {
  /** Left out of the working tree by a sparse checkout. */
  isSparse: boolean;
}

/** Longest list of an index that is read. Bytes. */
const INDEX_CAP = 1024 * 1024 * 1024;

/**
 * Finds the paths of changes that the person's working tree or index holds otherwise than HEAD: staged, changed, deleted,
 * untracked or ignored. Contents are compared, never times and sizes. Changes nothing.
 * @param changes `old` is what HEAD holds
 * @throws GitError; PatchError
 */
export async function findDirty(
  tree: PersonTree,
  scratch: Scratch,
  changes: readonly TreeChange[],
  signal: AbortSignal,
): Promise<BlockedPath[]> {
  if (changes.length === 0) return [];
  const index = await readIndex(await openScratchGit(tree, scratch, signal, { indexFile: tree.repository.indexFile }));
  if (index.size === 0 && changes.some(({ old }) => old !== null)) {
    throw new PatchError(`workspace ${tree.workspace}: its index is empty, so nothing is checked out; use --branch`);
  }
  const deleted = new Set(changes.filter(({ next }) => next === null).map(({ path }) => path));
  const blocked: BlockedPath[] = [];
  const present: TreeChange[] = [];
  for (const change of changes) {
    const why = findInIndex(change, index) ?? (await findOnDisk(tree.repository.top, change, deleted));
    if (why !== null) blocked.push({ path: change.path, why });
    else if (change.old !== null) present.push(change);
  }
  return [...blocked, ...(await findChanged(tree, scratch, present, signal))];
}

/** Reads the index whole: for a path of odd bytes there is no argument. Null: the path is unmerged. */
async function readIndex(git: Git): Promise<Map<BytePath, IndexEntry | null>> {
  const call = { env: READ_ONLY, outputCap: INDEX_CAP };
  const lines = splitNul(await mustGit(git, ['ls-files', '-s', '-t', '-z'], call));
  return new Map(
    lines.map((line): [BytePath, IndexEntry | null] => {
      const end = line.indexOf('\t');
      const [tag, mode = '', oid = '', stage] = line.slice(0, end).split(' ');
      return [line.slice(end + 1), stage === '0' ? { mode, oid, isSparse: tag === 'S' } : null];
    }),
  );
}

function findInIndex({ path, old }: TreeChange, index: Map<BytePath, IndexEntry | null>): string | null {
  const entry = index.get(path);
  if (entry === null) return 'is unmerged';
  if (entry?.isSparse === true) return 'is left out of the working tree by the sparse checkout';
  if (!isSameEntry(entry ?? null, old)) return 'has a staged change';
  return null;
}

/** What lies under the path, apart from the content of a file that HEAD holds. */
async function findOnDisk(top: string, { path, old }: TreeChange, deleted: Set<BytePath>): Promise<string | null> {
  for (const parent of listParents(path)) {
    const stats = await lstat(toLocation(top, parent)).catch(ignoreMissing);
    if (stats === null) return old === null ? null : 'is deleted in the working tree';
    if (stats.isDirectory() || (old === null && deleted.has(parent))) continue;
    return `${toShown(parent)} is no folder in the working tree`;
  }
  const stats = await lstat(toLocation(top, path)).catch(ignoreMissing);
  if (old === null) {
    if (stats === null) return null;
    if (!stats.isDirectory()) return 'is there, untracked or ignored';
    const other = await findOther(top, path, deleted);
    return other === null ? null : `is a folder that holds ${toShown(other)}, untracked or ignored`;
  }
  if (stats === null) return 'is deleted in the working tree';
  if (old.mode === SUBMODULE) return 'is a submodule';
  return stats.isFile() || stats.isSymbolicLink() ? null : 'is no file in the working tree';
}

/** A file under a folder that is not among those that go. */
async function findOther(top: string, folder: BytePath, deleted: Set<BytePath>): Promise<BytePath | null> {
  const entries = await readdir(toLocation(top, folder), { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) {
    const path = `${folder}/${entry.name.toString('latin1')}`;
    const other = entry.isDirectory() ? await findOther(top, path, deleted) : deleted.has(path) ? null : path;
    if (other !== null) return other;
  }
  return null;
}

/** Compares the files with what HEAD holds, by an index of their own that knows no time and no size of them. */
async function findChanged(
  tree: PersonTree,
  scratch: Scratch,
  changes: readonly TreeChange[],
  signal: AbortSignal,
): Promise<BlockedPath[]> {
  if (changes.length === 0) return [];
  const git = await openScratchGit(tree, scratch, signal, { indexFile: join(scratch.folder, 'compared') });
  await mustGit(git, ['read-tree', '--empty']);
  const lines = changes.map(({ path, old }) => `${old?.mode} ${old?.oid}\t${path}`);
  await mustGit(git, ['update-index', '-z', '--index-info'], { input: joinNul(lines) });
  await git(['update-index', '-q', '--refresh']); // exits 1 where a file differs
  const differing = splitNul(await mustGit(git, ['diff-files', '-z', '--name-only', '--ignore-submodules=none']));
  return differing.map((path) => ({ path, why: 'has an uncommitted change' }));
}

function ignoreMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
  throw error;
}
