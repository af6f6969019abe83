import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MergeConflict } from './types.ts';

/** Names of the two sides of a merge, as the markers in a file have them. They are names of branches, too. */
export function toMarkerLabels(findingId: string): { before: string; patch: string } {
  const patch = findingId
    .replaceAll(/[^A-Za-z0-9_-]/g, '_')
    .replace(/^-/, '_')
    .slice(0, 200);
  return { before: `before-${patch}`, patch };
}

/**
 * Finds the files in which markers of these conflicts are left: the very lines that the merge wrote, so that a file which is
 * about markers is none.
 * @param root real path of a task's tree
 */
export async function findMarked(root: string, conflicts: readonly MergeConflict[]): Promise<string[]> {
  const labels = conflicts.map(({ findingId }) => toMarkerLabels(findingId));
  const lines = labels.flatMap(({ before, patch }) => [`<+ ${before}`, `>+ ${patch}`]);
  const marker = new RegExp(`^(?:${lines.join('|')})\\r?$`, 'm');
  const marked: string[] = [];
  for (const path of new Set(conflicts.flatMap(({ paths }) => paths.map((each) => each.path)))) {
    const file = join(root, path);
    const stats = await lstat(file).catch(() => null);
    if (stats?.isFile() === true && marker.test(await readFile(file, 'latin1'))) marked.push(path);
  }
  return marked;
}
