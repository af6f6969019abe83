import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { errorCode } from '../tool-refusal.ts';

/**
 * Opening a path is safe only if no part of it became a link after the check. So each folder is opened from its open parent
 * without following links: on Linux `/proc/self/fd/N/name` starts at the open folder, as `openat` does. Other systems have
 * no such path; there only the earlier check protects.
 */
const hasProc = process.platform === 'linux';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** An open folder of the workspace. It stays the same folder even if its path is replaced. */
export interface OpenFolder {
  /** Returns a path to `name` in this folder, valid until the folder is closed. */
  pathTo(name: string): string;
  close(): Promise<void>;
}

/**
 * Opens a folder of the workspace, one part of the path after the other.
 * @param path relative to the root, without links (see `resolveInside`); '' is the root
 * @throws a system error: ENOENT; ELOOP or ENOTDIR if a part has become a link
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
  return { pathTo: (name) => `${base}/${name}`, close: () => handle.close() };
}

/** Opens a file for reading. Follows no link and does not wait on a FIFO. The caller closes the file. */
export async function openInside(root: string, path: string): Promise<FileHandle> {
  const slash = path.lastIndexOf('/');
  const folder = await openFolder(root, path.slice(0, Math.max(0, slash)), { create: false });
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return await open(folder.pathTo(path.slice(slash + 1) || '.'), flags);
  } finally {
    await folder.close();
  }
}

function ignoreExisting(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}
