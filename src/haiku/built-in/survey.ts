import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { listFiles } from '../tools/files/list-files.ts';
import { ignoreMissing } from '../tools/tool-refusal.ts';

/** The files of a workspace, as the result of a task. */
export interface WorkspaceSurvey {
  /** Count of all files, listed or not. */
  total: number;
  /** Sorted by path. */
  files: { path: string; bytes: number }[];
}

/** Most files that are listed, and most UTF-8 bytes of their paths: a planner is shown no more. */
const MOST_FILES = 5_000;
const MOST_BYTES = 200_000;
/** JSON around a path. */
const ENTRY_BYTES = 24;
/** Files whose size is read at once. */
const AT_ONCE = 32;

/**
 * Lists the files that tools may open, with their sizes. Where there are too many, those nearest to the top are listed.
 * @throws the signal's reason
 */
export async function surveyWorkspace(
  workspace: { name: string; root: string },
  signal: AbortSignal,
): Promise<WorkspaceSurvey> {
  const paths = await listFiles('**/*', '', { workspace, files: [], signal });
  const chosen = chooseFiles(paths);
  const files = await pMap(
    chosen,
    async (path) => ({ path, bytes: (await lstat(join(workspace.root, path)).catch(ignoreMissing))?.size ?? null }),
    { concurrency: AT_ONCE, signal },
  );
  const found = files.flatMap(({ path, bytes }) => (bytes === null ? [] : [{ path, bytes }]));
  return { total: paths.length - (chosen.length - found.length), files: found };
}

/** @param paths sorted */
function chooseFiles(paths: readonly string[]): string[] {
  const byDepth = paths.map((path) => ({ path, depth: path.split('/').length }));
  let bytes = 0;
  const kept = byDepth
    .toSorted((a, b) => a.depth - b.depth) // stable: within a depth by path
    .slice(0, MOST_FILES)
    .filter(({ path }) => (bytes += Buffer.byteLength(path) + ENTRY_BYTES) <= MOST_BYTES);
  const names = new Set(kept.map(({ path }) => path));
  return paths.filter((path) => names.has(path));
}
