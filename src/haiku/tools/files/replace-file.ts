import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, open, rename, unlink } from 'node:fs/promises';
import { openFolder } from './open-inside.ts';
import { errorCode, ignoreMissing, ToolRefusal } from '../tool-refusal.ts';

/**
 * Replaces a file's content, whole or not at all: writes and flushes a temporary file in the same folder, then renames it.
 * Makes missing folders. An existing file keeps its mode, and its owner where that is permitted.
 * @param path real path relative to the root
 * @throws ToolRefusal if the path is something other than a regular file
 */
export async function replaceFile(root: string, path: string, content: string): Promise<void> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const folder = await openFolder(root, path.slice(0, Math.max(0, slash)), { create: true });
  try {
    const target = folder.pathTo(name);
    const existing = await lstat(target).catch(ignoreMissing);
    if (existing !== undefined && !existing.isFile()) {
      throw new ToolRefusal(`${JSON.stringify(path)}: only a regular file can be written, this is something else`);
    }
    const temporary = folder.pathTo(`.tmp-${randomUUID()}`);
    try {
      await writeNew(temporary, content, existing);
      await rename(temporary, target);
    } catch (error) {
      await unlink(temporary).catch(ignoreMissing);
      throw error;
    }
  } finally {
    await folder.close();
  }
}

async function writeNew(path: string, content: string, like: Stats | undefined): Promise<void> {
  const file = await open(path, 'wx', 0o666);
  try {
    if (like !== undefined) {
      const made = await file.stat();
      if (made.uid !== like.uid || made.gid !== like.gid) await file.chown(like.uid, like.gid).catch(ignoreForbidden);
      await file.chmod(like.mode & 0o7777);
    }
    await file.writeFile(content, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Only root may change a file's owner. The file is written with this user as owner instead. */
function ignoreForbidden(error: unknown): void {
  if (errorCode(error) !== 'EPERM') throw error;
}
