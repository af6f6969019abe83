import { TaskFailedError } from '../../errors.ts';
import { listFiles } from '../tools/search/listing/list-files.ts';
import { isShown, type SearchContext } from '../tools/search/engine/scope.ts';
import { readSizes } from '../tools/search/listing/sizes.ts';
import { ToolRefusal } from '../tools/tool-refusal.ts';

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
/** A listing that takes longer is no survey: its total would be wrong. */
const DEADLINE_MS = 5 * 60_000;

/**
 * Lists the files that tools may open, with their sizes. Where there are too many, those nearest to the top are listed.
 * @throws TaskFailedError `workspace` if they cannot be listed; the signal's reason
 */
export async function surveyWorkspace(
  workspace: { name: string; root: string },
  signal: AbortSignal,
): Promise<WorkspaceSurvey> {
  const context = { workspace, files: [], signal };
  const paths = await listAll(context);
  const chosen = chooseFiles(paths);
  const sizes = await readSizes(chosen, context);
  const files = chosen.flatMap((path) => {
    const bytes = sizes.get(path);
    return bytes === undefined ? [] : [{ path, bytes }];
  });
  return { total: paths.length - (chosen.length - files.length), files };
}

async function listAll(context: SearchContext): Promise<string[]> {
  try {
    const request = { target: '', ignored: false, globs: null, timeoutMs: DEADLINE_MS };
    const { paths, isWhole } = await listFiles(request, context);
    if (!isWhole) throw new ToolRefusal(`listing the files took longer than ${DEADLINE_MS / 1_000} s`);
    return paths.filter((path) => isShown(path, context));
  } catch (error) {
    if (!(error instanceof ToolRefusal)) throw error;
    throw new TaskFailedError('workspace', error.message, { cause: error });
  }
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
