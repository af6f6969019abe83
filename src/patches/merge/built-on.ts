import { listGit } from '../../git/git.ts';
import type { Repository } from '../../git/repository.ts';
import type { Db } from '../../redis/db.ts';
import { readWholeText } from '../record.ts';
import type { PatchRecord } from '../types.ts';
import { withMergeGit, type MergeGit } from './merge-git.ts';
import { mergePatches } from './merge-patches.ts';
import type { PatchMerge } from './types.ts';
import { parseRecord } from '../../redis/stored-record.ts';

/** What a task begins with, and what is in it. */
export interface BuiltOn {
  merge: PatchMerge;
  /** Finding ids of all merged patches, in their order. */
  patches: string[];
  /** Names at the top of the tree; those of folders end with `/`. */
  top: string[];
}

const PAGE = 200;
const SUBMODULE = '160000';
const FOLDER = '040000';

/**
 * Merges those of the patches with a commit that it lacks and that still wait or are applied elsewhere.
 * @param wanted.head id of the person's commit
 * @param wanted.ids finding ids, in the order in which they apply
 * @returns null: there is nothing to merge
 * @throws MergeError; GitError; the signal's reason
 */
export async function mergeBuiltOn(
  db: Db,
  repository: Repository,
  wanted: { head: string; ids: readonly string[]; workspace: string },
  signal: AbortSignal,
): Promise<BuiltOn | null> {
  const { head, ids, workspace } = wanted;
  const found = (await readRecords(db, ids)).filter(
    ({ state, workspace: own }) => own === workspace && state !== 'empty' && state !== 'discarded',
  );
  const carried = new Set(found.flatMap(({ carries = [] }) => carries));
  const open = found.filter(({ findingId }) => !carried.has(findingId));
  if (open.length === 0) return null;
  return await withMergeGit(repository, head, signal, async (parts) => {
    const patches: PatchRecord[] = [];
    for (const record of open) if (!(await isIn(parts, record, head))) patches.push(record);
    if (patches.length === 0) return null;
    const merge = await mergePatches(parts, { head, patches, readText: (record) => readWholeText(db, record) });
    const top = await listTop(parts, merge.start ?? merge.commit);
    return { merge, patches: patches.map(({ findingId }) => findingId), top };
  });
}

/**
 * Makes a merge again if its objects are not here: another host has the task now, or somebody cleaned up.
 * @param merged see `MergedBase`
 * @returns whether they are here now
 * @throws MergeError; GitError; the signal's reason
 */
export async function restoreMerge(
  db: Db,
  repository: Repository,
  { commit, start, head, patches: ids }: Pick<PatchMerge, 'commit' | 'start' | 'head'> & { patches: readonly string[] },
  signal: AbortSignal,
): Promise<boolean> {
  const needed = start === null ? [commit] : [commit, start];
  return await withMergeGit(repository, head, signal, async (parts) => {
    const isHere = async (id: string): Promise<boolean> =>
      (await parts.git(['cat-file', '-e', `${id}^{tree}`])).code === 0;
    if ((await Promise.all(needed.map(isHere))).every(Boolean)) return true;
    if (!(await isHere(head))) return false;
    const patches = await readRecords(db, ids);
    const made = await mergePatches(parts, { head, patches, readText: (record) => readWholeText(db, record) });
    return made.commit === commit && made.start === start;
  });
}

/** In the order of the ids. An id without a patch is left out. */
async function readRecords({ redis, keys }: Db, ids: readonly string[]): Promise<PatchRecord[]> {
  const found: PatchRecord[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const texts = await redis.mget(ids.slice(from, from + PAGE).map((id) => keys.patch(id)));
    found.push(...texts.map((text) => parseRecord(text) as PatchRecord | null).filter((record) => record !== null));
  }
  return found;
}

/** Whether a commit has a patch in its history, as it was applied. */
async function isIn({ git }: MergeGit, { state, applied }: PatchRecord, commit: string): Promise<boolean> {
  if (state !== 'applied' || applied === null) return false;
  return (await git(['merge-base', '--is-ancestor', applied.commit, commit])).code === 0;
}

async function listTop({ git }: MergeGit, tree: string): Promise<string[]> {
  const lines = await listGit(git, ['ls-tree', '-z', tree]);
  return lines.flatMap((line) => {
    const name = line.slice(line.indexOf('\t') + 1);
    if (line.startsWith(SUBMODULE)) return [];
    return [line.startsWith(FOLDER) ? `${name}/` : name];
  });
}
