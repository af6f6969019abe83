import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { errorCode } from '../tool-refusal.ts';

/**
 * Opening by a path is safe only if no part of it became a link after it was checked. So each folder is opened from the
 * one above it without following links (`openat` in effect: on Linux `/proc/self/fd/N/name` starts at the open folder).
 * Elsewhere there is no such path; there the check made just before is all there is.
 */
const hasProc = process.platform === 'linux';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A folder inside the workspace that stays the same one, whatever happens to its path. */
export interface OpenFolder {
  /** A path to `name` in this folder; valid until the folder is closed. */
  at(name: string): string;
  close(): Promise<void>;
}

/**
 * Opens a folder of the workspace, part by part.
 * @param path relative to the root, without links (see `resolveInside`); '' is the root
 * @throws a system error: ENOENT, ELOOP or ENOTDIR when a part has become a link
 */
export async function openFolder(root: string, path: string, options: { create: boolean }): Promise<OpenFolder> {
  let handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  let location = root;
  try {
    for (const name of path.split('/').filter(Boolean)) {
      const next = `${hasProc ? `/proc/self/fd/${handle.fd}` : location}/${name}`;
      if (options.create) await mkdir(next).catch(ignoreExisting);
      const opened = await open(next, FOLDER);
      await handle.close();
      handle = opened;
      location = `${location}/${name}`;
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  const base = hasProc ? `/proc/self/fd/${handle.fd}` : location;
  return { at: (name) => `${base}/${name}`, close: () => handle.close() };
}

/** Opens a file for reading without following a link and without waiting on a FIFO. The caller closes it. */
export async function openInside(root: string, path: string): Promise<FileHandle> {
  const at = path.lastIndexOf('/');
  const folder = await openFolder(root, path.slice(0, Math.max(0, at)), { create: false });
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return await open(folder.at(path.slice(at + 1) || '.'), flags);
  } finally {
    await folder.close();
  }
}

function ignoreExisting(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}
