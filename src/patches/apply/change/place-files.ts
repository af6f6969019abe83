import { link, lstat, mkdir, readdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../../../errors.ts';
import { PatchError } from '../../patch-error.ts';
import { listParents, toLocation, toShown, type BytePath } from '../person/byte-path.ts';
import { readFingerprint } from './fingerprint.ts';
import { isSameFile, noLinks } from './index-lock.ts';
import type { PlacedPath } from './journal.ts';

/** Where a change takes place. All paths are absolute. */
export interface Site {
  /** The person's working tree. */
  top: string;
  /** Folder of the command, on the same disk. */
  folder: string;
}

/** The person changed a file while it was being replaced. */
export class TreeMovedError extends PatchError {
  override name = 'TreeMovedError';
}

export const toStaged = ({ folder }: Site, path: BytePath): Buffer => toLocation(join(folder, 'new'), path);
const toSaved = ({ folder }: Site, at: number): string => join(folder, 'old', String(at));

/**
 * Puts the new files in the place of the old ones. An old file is moved away, never overwritten, and compared only then; a new
 * one is linked, which fails where anything is. So nothing that a person writes meanwhile is lost.
 * @throws TreeMovedError; the caller then takes everything back
 */
export async function placeFiles(site: Site, paths: readonly PlacedPath[]): Promise<void> {
  await makeFolder(Buffer.from(join(site.folder, 'old')));
  for (const [at, { path, before }] of paths.entries()) if (before !== null) await moveAway(site, path, before, at);
  for (const { path, after } of paths) if (after !== null) await place(site, path);
}

async function moveAway(site: Site, path: BytePath, before: string, at: number): Promise<void> {
  const location = toLocation(site.top, path);
  try {
    await assertRealParents(site, path);
    await rename(location, toSaved(site, at));
  } catch (error) {
    throw error instanceof PatchError ? error : toMoved(path, error);
  }
  if ((await readFingerprint(toSaved(site, at))) !== before) throw toMoved(path);
}

async function place(site: Site, path: BytePath): Promise<void> {
  try {
    for (const parent of listParents(path)) await makeFolder(toLocation(site.top, parent));
    const location = toLocation(site.top, path);
    await removeEmptyFolder(location);
    await linkNew(toStaged(site, path), location);
  } catch (error) {
    throw error instanceof PatchError ? error : toMoved(path, error);
  }
}

/** Takes a change back as far as a killed command came. @returns paths of which the person's own later version stays */
export async function takeFilesBack(site: Site, paths: readonly PlacedPath[]): Promise<BytePath[]> {
  const kept: BytePath[] = [];
  for (const { path, after } of paths) {
    if (after !== null && (await isPlaced(site, path, after))) await unlink(toLocation(site.top, path));
  }
  await pruneFolders(
    site,
    paths.filter(({ after }) => after !== null),
  );
  for (const [at, { path, before }] of paths.entries()) {
    if (before === null || !(await exists(toSaved(site, at)))) continue;
    if (!(await restore(site, path, at))) kept.push(path);
  }
  return kept;
}

async function restore(site: Site, path: BytePath, at: number): Promise<boolean> {
  const location = toLocation(site.top, path);
  try {
    for (const parent of listParents(path)) await makeFolder(toLocation(site.top, parent));
    if ((await lstat(toSaved(site, at))).isDirectory()) return await moveBack(toSaved(site, at), location);
    await linkNew(toSaved(site, at), location);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const isBack = (await readPrint(location)) === (await readFingerprint(toSaved(site, at)));
    if (!isBack) return false;
  }
  await unlink(toSaved(site, at));
  return true;
}

/** A folder has one name only. @returns false: something is in its place */
async function moveBack(saved: string, location: Buffer): Promise<boolean> {
  if ((await lstat(location).catch(() => null)) !== null) return false;
  await rename(saved, location);
  return true;
}

/** Whether the file is the one that the change put there, and nobody wrote to it since. */
async function isPlaced(site: Site, path: BytePath, after: string): Promise<boolean> {
  const location = toLocation(site.top, path);
  const isLink = after.startsWith('link ');
  return (isLink || (await isSameFile(location, toStaged(site, path)))) && (await readPrint(location)) === after;
}

/** Null also for what has no fingerprint, such as a folder. */
async function readPrint(location: Buffer): Promise<string | null> {
  return await readFingerprint(location).catch(() => null);
}

/** Removes the folders that became empty. */
export async function pruneFolders(site: Site, paths: readonly PlacedPath[]): Promise<void> {
  for (const parent of new Set(paths.flatMap(({ path }) => listParents(path).toReversed()))) {
    await rmdir(toLocation(site.top, parent)).catch(() => undefined); // it is not empty, or gone
  }
}

/** Paths whose old file was written to after it was moved away, by a program that still had it open. */
export async function listWrittenLate(site: Site, paths: readonly PlacedPath[]): Promise<BytePath[]> {
  const late: BytePath[] = [];
  for (const [at, { path, before }] of paths.entries()) {
    if (before !== null && (await readFingerprint(toSaved(site, at))) !== before) late.push(path);
  }
  return late;
}

/** A link in the place of a folder would lead out of the tree. */
async function assertRealParents(site: Site, path: BytePath): Promise<void> {
  for (const parent of listParents(path)) {
    if (!(await lstat(toLocation(site.top, parent))).isDirectory()) throw toMoved(path);
  }
}

/** @throws TreeMovedError where a file or link has the name */
async function makeFolder(location: Buffer): Promise<void> {
  await mkdir(location).catch(async (error: unknown) => {
    if (!(await lstat(location).catch(() => null))?.isDirectory()) throw error;
  });
}

/** A file can take the place of a folder whose files all went. @throws the system's error where the folder holds anything */
async function removeEmptyFolder(location: Buffer): Promise<void> {
  const stats = await lstat(location).catch(() => null);
  if (stats?.isDirectory() !== true) return;
  for (const name of await readdir(location, { encoding: 'buffer' })) {
    await removeEmptyFolder(Buffer.concat([location, Buffer.from('/'), name]));
  }
  await rmdir(location);
}

/** Gives a file a second name, which must be free. A link is made anew: some systems follow it instead. */
async function linkNew(from: string | Buffer, to: Buffer): Promise<void> {
  if ((await lstat(from)).isSymbolicLink()) return await symlink(await readlink(from, 'buffer'), to);
  try {
    await link(from, to);
  } catch (error) {
    if (isSystemError(error) && (error.code === 'EPERM' || error.code === 'ENOTSUP')) throw noLinks(error);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** What the system answers where a person's file is in the way, or gone. */
const MOVED = new Set(['ENOENT', 'EEXIST', 'ENOTDIR', 'ENOTEMPTY', 'EISDIR', 'ELOOP']);

function toMoved(path: BytePath, cause?: unknown): PatchError {
  const shown = toShown(path);
  if (cause === undefined || (isSystemError(cause) && MOVED.has(cause.code ?? ''))) {
    return new TreeMovedError(`${shown}: changed while it was being replaced; nothing was changed`, { cause });
  }
  const why = isSystemError(cause) && cause.code === 'EXDEV' ? 'it lies on another disk than .git' : toMessage(cause);
  return new PatchError(`${shown}: cannot be replaced (${why}); nothing was changed. Try --branch`, { cause });
}
