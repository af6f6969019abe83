import type { FileHandle } from 'node:fs/promises';
import { openInside } from '../../files/open-inside.ts';
import { errorCode } from '../../tool-refusal.ts';
import { openContent, type Content } from './content.ts';
import type { SearchContext } from '../engine/scope.ts';
import { showBytes, showPath, toName } from '../engine/show-path.ts';

/** An open file whose lines may be shown. */
export interface Source {
  path: string;
  file: FileHandle;
  content: Content;
}

/** How the files of a search are read, and which of them count. */
export interface ReadAs {
  encoding: 'utf-8' | 'windows-1252';
  isWanted(path: string): boolean;
}

/**
 * Opens a file that ripgrep named. Null: its lines may not be shown, or cannot be.
 * @param noteUnread called with a file whose lines are left out though they may be shown, and the reason
 */
export async function openSource(
  name: Buffer,
  { encoding, isWanted }: ReadAs,
  { workspace }: Pick<SearchContext, 'workspace'>,
  noteUnread: (what: string) => void,
): Promise<Source | null> {
  const path = toName(name);
  if (path === null) {
    noteUnread(`${showBytes(name)} (its name is not UTF-8)`);
    return null;
  }
  if (!isWanted(path)) return null;
  try {
    const file = await openInside(workspace.root, path);
    const stats = await file.stat();
    const content = stats.isFile() ? await openContent(file, stats.size, encoding) : null;
    if (content !== null) return { path, file, content };
    await file.close();
    if (stats.isFile()) noteUnread(`${showPath(path)} (has matches; too large to convert)`);
    return null;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    noteUnread(`${showPath(path)} (changed meanwhile)`);
    return null;
  }
}
