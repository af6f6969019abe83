import { toOneLine } from '../../text/one-line.ts';
import { isGuardedName } from '../tools/files/secret-names.ts';
import { listEntries } from '../tools/search/listing/list-entries.ts';
import { ToolRefusal } from '../tools/tool-refusal.ts';
import type { WorkspaceContext } from '../tools/tool.ts';
import { shareLooks, type WorkspaceReader } from './shared-look.ts';

/** Names of the workspace's top level that are listed. */
const MOST_NAMES = 60;
const LONGEST_NAME = 100;
/** After that a folder is named though it may hold ignored files only. */
const DEADLINE_MS = 5_000;

/** Creates a reader of the files and folders at the top of a workspace, as the list tool shows them. */
export function createTopLevelReader(): WorkspaceReader {
  return shareLooks(listTopLevel, ({ workspace, files }) =>
    JSON.stringify([workspace.root, ...files.filter(isGuardedName)]),
  );
}

async function listTopLevel({ workspace, files }: WorkspaceContext): Promise<string | null> {
  const { signal } = new AbortController(); // other tasks share the look
  const request = { folder: '', ignored: false, timeoutMs: DEADLINE_MS };
  try {
    const { entries } = await listEntries(request, { workspace, files, signal });
    return toLine(
      entries.flatMap(({ name, kind }) => {
        if (kind !== 'file' && kind !== 'folder') return [];
        return [toOneLine(name, LONGEST_NAME) + (kind === 'folder' ? '/' : '')];
      }),
    );
  } catch (error) {
    if (!(error instanceof ToolRefusal)) throw error;
    return null;
  }
}

/**
 * The same of a tree that is not there yet.
 * @param names those of folders end with `/`
 * @param files what the task lists: a guarded name is shown only there
 */
export function toTopLine(names: readonly string[], files: readonly string[]): string {
  const shown = names.filter((name) => !isGuardedName(name) || files.includes(name));
  return toLine(shown.map((name) => toOneLine(name, LONGEST_NAME)));
}

function toLine(names: readonly string[]): string {
  if (names.length === 0) return 'empty';
  const rest = names.length - MOST_NAMES;
  return [...names.slice(0, MOST_NAMES), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}
