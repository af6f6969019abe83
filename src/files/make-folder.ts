import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { toMessage, UsageError } from '../errors.ts';

export interface FolderOptions {
  /** Of each folder that is made. Default: what the process may give. */
  mode?: number;
  /** What named the path, for the message: `--save`, `FLEET_DATA`. Default: the system's error is thrown as it is. */
  setting?: string;
}

/**
 * Makes a folder and those above it; does nothing where it is there. Node's recursive `mkdir` never returns where a file system
 * has the folder above and answers ENOENT all the same, as /proc does.
 * @throws UsageError that names setting, path and cure; without a setting the system's error
 */
export async function makeFolder(path: string, options: FolderOptions = {}): Promise<void> {
  try {
    await makeAll(resolve(path), options.mode);
  } catch (error) {
    throw toFolderError(error, path, options);
  }
}

/** Like `makeFolder`, for code that waits for nothing. */
export function makeFolderSync(path: string, options: FolderOptions = {}): void {
  try {
    makeAllSync(resolve(path), options.mode);
  } catch (error) {
    throw toFolderError(error, path, options);
  }
}

async function makeAll(path: string, mode: number | undefined): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeAll(dirname(path), mode);
  await mkdir(path, { mode }).catch(async (error: unknown) => {
    if (!(await isFolder(path))) throw error; // else another process was faster
  });
}

function makeAllSync(path: string, mode: number | undefined): void {
  if (isFolderSync(path)) return;
  if (dirname(path) !== path) makeAllSync(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isFolderSync(path)) throw error; // else another process was faster
  }
}

/** A folder that this user may not see into is reported by the `mkdir` that follows. */
async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true;
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function toFolderError(error: unknown, path: string, { setting }: FolderOptions): unknown {
  if (setting === undefined) return error;
  const message = `${setting}: the folder ${path} cannot be made: ${describeError(error)}; name one that this user may write to`;
  return new UsageError(message, { cause: error });
}

/** The folder that the system refused may be one of those above. */
function describeError(error: unknown): string {
  const { path = '' } = Object(error) as NodeJS.ErrnoException;
  switch (Reflect.get(Object(error), 'code')) {
    case 'ENOENT':
      return `${dirname(path)} takes no folders`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path} is no folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `this user may not write in ${dirname(path)}`;
    default:
      return toMessage(error);
  }
}
