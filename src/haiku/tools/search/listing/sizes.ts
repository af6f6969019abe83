import { lstat } from 'node:fs/promises';
import pMap from 'p-map';
import { openFolder } from '../../files/open-inside.ts';
import { errorCode } from '../../tool-refusal.ts';
import type { SearchContext } from '../engine/scope.ts';

const AT_ONCE = 16;

/**
 * The sizes of files in bytes. What is no regular file any more, or lies behind a link, is left out.
 * @param paths relative to the workspace
 */
export async function readSizes(
  paths: readonly string[],
  { workspace, signal }: Pick<SearchContext, 'workspace' | 'signal'>,
): Promise<Map<string, number>> {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const names = folders.get(folder) ?? [];
    names.push(path.slice(folder === '' ? 0 : folder.length + 1));
    folders.set(folder, names);
  }
  const sizes = new Map<string, number>();
  await pMap(
    folders,
    async ([folder, names]) => {
      const open = await openFolder(workspace.root, folder, { create: false }).catch(ignoreSystemError);
      if (open === undefined) return;
      try {
        for (const name of names) {
          const stats = await lstat(open.pathTo(name)).catch(ignoreSystemError);
          if (stats?.isFile() === true) sizes.set(folder === '' ? name : `${folder}/${name}`, stats.size);
        }
      } finally {
        await open.close();
      }
    },
    { concurrency: AT_ONCE, signal },
  );
  return sizes;
}

/** Other processes use the workspace: a file may be gone, or a folder be a link now. */
export function ignoreSystemError(error: unknown): undefined {
  if (errorCode(error) === undefined) throw error;
}
