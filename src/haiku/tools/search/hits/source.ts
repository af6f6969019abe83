import type { FileHandle } from 'node:fs/promises';
import { openInside } from '../../files/open-inside.ts';
import { errorCode } from '../../tool-refusal.ts';
import { openContent, type Content } from './content.ts';
import { isShown, type SearchContext } from '../engine/scope.ts';
import { showBytes, showPath, toName } from '../engine/show-path.ts';

/** An open file whose lines may be shown. */
export interface Source {
  path: string;
  file: FileHandle;
  content: Content;
}

/**
 * Opens a file that ripgrep named. Null: its lines may not be shown, or cannot be.
 * @param visible paths that may be shown, besides guarded names. Null: all
 * @param noteUnread called with a file whose lines are left out though they may be shown, and the reason
 */
export async function openSource(
  name: Buffer,
  visible: ReadonlySet<string> | null,
  context: SearchContext,
  noteUnread: (what: string) => void,
): Promise<Source | null> {
  const path = toName(name);
  if (path === null) {
    noteUnread(`${showBytes(name)} (its name is not UTF-8)`);
    return null;
  }
  if (!isShown(path, context) || visible?.has(path) === false) return null;
  try {
    const file = await openInside(context.workspace.root, path);
    const stats = await file.stat();
    const content = stats.isFile() ? await openContent(file, stats.size) : null;
    if (content !== null) return { path, file, content };
    await file.close();
    if (stats.isFile()) noteUnread(`${showPath(path)} (a match; too large to convert from UTF-16)`);
    return null;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    noteUnread(`${showPath(path)} (changed meanwhile)`);
    return null;
  }
}
