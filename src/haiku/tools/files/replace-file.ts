import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { openFolder, type OpenFolder } from './open-inside.ts';
import { toSha256 } from './text-file.ts';
import { errorCode, ignoreMissing, ToolRefusal } from '../tool-refusal.ts';

/**
 * Replaces a file's content, whole or not at all: writes and flushes a temporary file in the same folder, then renames it.
 * Makes missing folders. An existing file keeps its mode, owner and group; where one of them would be lost, nothing is
 * written.
 * @param path real path relative to the root
 * @throws ToolRefusal for what is no regular file, is read-only, is another user's, or has several hard links; a system error
 */
export async function replaceFile(root: string, path: string, content: string): Promise<void> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const folder = await openFolder(root, path.slice(0, Math.max(0, slash)), { create: true });
  try {
    const target = folder.pathTo(name);
    const existing = await lstat(target).catch(ignoreMissing);
    if (existing !== undefined) {
      await requireReplaceable(path, existing, { target, ownerOfRoot: (await lstat(root)).uid });
    }
    const prefix = `.tmp-${toSha256(name).slice(0, 16)}-`;
    await removeLeftOver(folder, prefix);
    const temporary = folder.pathTo(prefix + randomUUID());
    try {
      await writeNew(temporary, path, { content, like: existing });
      await rename(temporary, target);
    } catch (error) {
      await unlink(temporary).catch(ignoreMissing);
      throw error;
    }
  } finally {
    await folder.close();
  }
}

/**
 * Removes what a killed process left half-written. A frozen one that still writes it loses its file, and with it nothing but
 * a write for which it no longer has the lock.
 */
async function removeLeftOver(folder: OpenFolder, prefix: string): Promise<void> {
  for (const name of await readdir(folder.pathTo('.'))) {
    if (name.startsWith(prefix)) await unlink(folder.pathTo(name)).catch(ignoreMissing);
  }
}

/**
 * A rename asks for no permission of the file itself, and ends a hard link silently. So the file is asked before.
 * @param ownerOfRoot as root, the fleet also writes the files of the user whose workspace it is (as in a container)
 */
async function requireReplaceable(
  path: string,
  stats: Stats,
  { target, ownerOfRoot }: { target: string; ownerOfRoot: number },
): Promise<void> {
  const shown = JSON.stringify(path);
  const elsewhere = 'leave it, or make a new file at another path';
  if (!stats.isFile()) {
    throw new ToolRefusal(`${shown}: only a regular file can be written, this is something else`);
  }
  if ((stats.mode & 0o200) === 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new ToolRefusal(`${shown}: is read-only (mode ${mode}); ${elsewhere}`);
  }
  const user = process.geteuid?.() ?? stats.uid;
  if (stats.uid !== user && !(user === 0 && stats.uid === ownerOfRoot)) {
    throw new ToolRefusal(`${shown}: belongs to another user (uid ${stats.uid}, this is uid ${user}); ${elsewhere}`);
  }
  if (stats.nlink > 1) {
    throw new ToolRefusal(
      `${shown}: has ${stats.nlink} hard links, and the other names would keep the old content; ${elsewhere}`,
    );
  }
  await askSystem(target);
}

/** Asks the system, which also knows attributes, access lists and read-only file systems. Changes nothing. */
async function askSystem(target: string): Promise<void> {
  try {
    const file = await open(target, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await file.close();
  } catch (error) {
    if (errorCode(error) !== 'ETXTBSY') throw error; // a running program: it goes on with the old file
  }
}

interface NewContent {
  content: string;
  /** The file that it replaces. */
  like: Stats | undefined;
}

async function writeNew(temporary: string, path: string, { content, like }: NewContent): Promise<void> {
  // Until the owner is right nobody else may read it: the file that it replaces may be private.
  const file = await open(temporary, 'wx', like === undefined ? 0o666 : 0o600);
  try {
    await file.writeFile(content, 'utf8');
    if (like !== undefined) await keepOwner(file, path, like);
    if (like !== undefined) await file.chmod(like.mode & 0o7777); // last: writing and a new owner clear setuid and setgid
    await file.sync();
  } finally {
    await file.close();
  }
}

async function keepOwner(file: FileHandle, path: string, like: Stats): Promise<void> {
  const made = await file.stat();
  if (made.uid === like.uid && made.gid === like.gid) return;
  try {
    await file.chown(like.uid, like.gid);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
    throw new ToolRefusal(
      `${JSON.stringify(path)}: its group (gid ${like.gid}) is not this user's and could not be kept; make a new file at another path`,
      { cause: error },
    );
  }
}
