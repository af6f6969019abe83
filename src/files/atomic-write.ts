import { existsSync, rmSync } from 'node:fs';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toMessage, UsageError } from '../errors.ts';

const BUFFER_CHARS = 256 * 1024;

/** Errors of a file system without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/**
 * Writes a file whole or not at all: first to a temporary file in the same folder, which is then renamed. A file that exists
 * is unchanged until then.
 * @param options.keep whether a file that exists at the end is kept instead of replaced; default false
 * @throws UsageError when the folder cannot be written to, before `fill` is called; with `keep` where the file exists
 */
export async function writeAtomically(
  path: string,
  fill: (write: (text: string) => Promise<void>) => Promise<void>,
  options: { keep?: boolean } = {},
): Promise<void> {
  const temporary = toTemporary(path);
  const file = await openTemporary(temporary, path);
  const remove = (): void => rmSync(temporary, { force: true });
  process.once('exit', remove);
  let buffer = '';
  try {
    await fill(async (text) => {
      buffer += text;
      if (buffer.length < BUFFER_CHARS) return;
      await file.write(buffer);
      buffer = '';
    });
    await file.write(buffer);
    await file.sync();
    await file.close();
    if (options.keep === true) await moveIfFree(temporary, path);
    else await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close().catch(() => undefined); // closed already where the rename failed
    await rm(temporary, { force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}

/**
 * Checks, before anything is paid, that a new file can be written, by writing a temporary one in the same folder.
 * @throws UsageError where the file exists, or its folder cannot be written to
 */
export async function assertWritable(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) throw toExistsError(path);
  const temporary = toTemporary(path);
  const file = await openTemporary(temporary, path);
  await file.close();
  await rm(temporary, { force: true });
}

function toTemporary(path: string): string {
  return join(dirname(path), `.${process.pid}.${Date.now()}.partial`);
}

function openTemporary(temporary: string, path: string): Promise<FileHandle> {
  return open(temporary, 'wx').catch((error: unknown) => {
    throw new UsageError(`cannot write ${path}: ${describeError(error, dirname(path))}`, { cause: error });
  });
}

/** The system's message names the temporary file; this one names the user's path. */
function describeError(error: unknown, folder: string): string {
  switch (Reflect.get(Object(error), 'code')) {
    case 'ENOENT':
      return existsSync(folder) ? `${folder} takes no files` : `there is no folder ${folder}`; // so answers /proc
    case 'ENOTDIR':
      return `${folder} is no folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `the folder ${folder} cannot be written to`;
    default:
      return toMessage(error);
  }
}

/** Renames the temporary file in one step, unless the path exists. @throws UsageError */
async function moveIfFree(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    if (code === 'EEXIST') throw toExistsError(path);
    if (typeof code !== 'string' || !NO_LINKS.has(code)) throw error;
    if ((await lstat(path).catch(() => null)) !== null) throw toExistsError(path);
    return rename(temporary, path);
  }
  await rm(temporary, { force: true });
}

function toExistsError(path: string): UsageError {
  return new UsageError(`${path} is there already; give another name, nothing is written over`);
}

/** Makes the new name durable over a power cut. Not every system can sync a folder. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(() => null);
  await opened?.sync().catch(() => undefined);
  await opened?.close();
}
