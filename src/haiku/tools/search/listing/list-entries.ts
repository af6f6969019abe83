import { lstat, readdir } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { openFolder } from '../../files/open-inside.ts';
import { toRefusal } from '../../tool-refusal.ts';
import { isShown, type SearchContext } from '../engine/scope.ts';
import { showBytes, toName } from '../engine/show-path.ts';
import { listFiles } from './list-files.ts';
import { ignoreSystemError } from './sizes.ts';

/** What lies directly in a folder. A link is not followed; `other` is a FIFO, socket or device. */
export type Entry =
  | { name: string; kind: 'file'; bytes: number }
  /** `files`: those below it that glob would list. */
  | { name: string; kind: 'folder'; files: number }
  | { name: string; kind: 'link' | 'other' };

export interface FolderListing {
  /** Sorted by code units. */
  entries: Entry[];
  /** Files that are ignored, and folders that hold nothing but ignored files. */
  ignoredCount: number;
  /** Names that are not UTF-8, as they are shown. */
  foreign: string[];
  /** What could not be looked into, with the reason. */
  unread: string[];
  /** False: the deadline came first, so that counts are too low. */
  isWhole: boolean;
}

interface Found {
  name: string;
  path: string;
  stats: Stats;
}

/**
 * Lists one folder by the rule of grep and glob.
 * @param request.folder relative to the workspace and resolved; '' is the workspace
 * @throws ToolRefusal if there is no such folder; the signal's reason
 */
export async function listEntries(
  { folder, ignored, timeoutMs }: { folder: string; ignored: boolean; timeoutMs: number },
  context: SearchContext,
): Promise<FolderListing> {
  const { found, foreign } = await readFolder(folder, context).catch((error: unknown) => {
    throw toRefusal(error, folder === '' ? '.' : folder);
  });
  const { paths, unread, isWhole } = await listFiles({ target: folder, ignored, globs: null, timeoutMs }, context);
  const counts = countBelow(paths, folder, context);
  const entries: Entry[] = [];
  let ignoredCount = 0;
  for (const { name, path, stats } of found) {
    const files = counts.get(name);
    if (stats.isDirectory()) {
      const isVisible = files !== undefined || !isWhole || !(await holdsFiles(path, context));
      if (isVisible && (ignored || name !== 'node_modules')) entries.push({ name, kind: 'folder', files: files ?? 0 });
      else ignoredCount += 1;
    } else if (!stats.isFile()) {
      entries.push({ name, kind: stats.isSymbolicLink() ? 'link' : 'other' });
    } else if (files === undefined && isWhole) {
      ignoredCount += 1;
    } else {
      entries.push({ name, kind: 'file', bytes: stats.size });
    }
  }
  return { entries, ignoredCount, foreign, unread, isWhole };
}

async function readFolder(folder: string, context: SearchContext): Promise<{ found: Found[]; foreign: string[] }> {
  const found: Found[] = [];
  const foreign: string[] = [];
  const open = await openFolder(context.workspace.root, folder, { create: false });
  try {
    for (const bytes of await readdir(open.pathTo(''), { encoding: 'buffer' })) {
      const name = toName(bytes);
      if (name === null) {
        foreign.push(showBytes(bytes));
        continue;
      }
      const path = folder === '' ? name : `${folder}/${name}`;
      if (!isShown(path, context)) continue;
      const stats = await lstat(open.pathTo(name)).catch(ignoreSystemError);
      if (stats !== undefined) found.push({ name, path, stats });
    }
  } finally {
    await open.close();
  }
  return { found: found.sort((a, b) => (a.name < b.name ? -1 : 1)), foreign: foreign.sort() };
}

/** Name of an entry → how many shown files it is or holds. An entry that holds guarded files only has 0. */
function countBelow(paths: readonly string[], folder: string, context: SearchContext): Map<string, number> {
  const start = folder === '' ? 0 : folder.length + 1;
  const counts = new Map<string, number>();
  for (const path of paths) {
    const end = path.indexOf('/', start);
    const name = path.slice(start, end === -1 ? path.length : end);
    counts.set(name, (counts.get(name) ?? 0) + (isShown(path, context) ? 1 : 0));
  }
  return counts;
}

/** False also for a folder that cannot be looked into. */
async function holdsFiles(folder: string, { workspace }: SearchContext): Promise<boolean> {
  const open = await openFolder(workspace.root, folder, { create: false }).catch(ignoreSystemError);
  if (open === undefined) return false;
  try {
    return (await readdir(open.pathTo(''))).length > 0;
  } finally {
    await open.close();
  }
}
