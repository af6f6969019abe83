import { rmSync } from 'node:fs';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toMessage, UsageError } from '../../errors.ts';

const BUFFER_CHARS = 256 * 1024;

/** Not every file system knows links to files. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/**
 * Writes a file whole or not at all: beside it first, then in its place in one step. Whatever was there stays until then.
 * @param options.keep what is there by then stays for good; default false
 * @throws UsageError when the folder cannot be written to, before `fill` is called; with `keep` where the file is there
 */
export async function writeWhole(
  path: string,
  fill: (write: (text: string) => Promise<void>) => Promise<void>,
  options: { keep?: boolean } = {},
): Promise<void> {
  const beside = toBeside(path);
  const file = await openBeside(beside, path);
  const remove = (): void => rmSync(beside, { force: true });
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
    if (options.keep === true) await moveIfFree(beside, path);
    else await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close().catch(() => undefined); // closed already where the rename failed
    await rm(beside, { force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}

/**
 * Looks, before anything is paid, whether a new file can be written there: by writing one beside it.
 * @throws UsageError where it is there already, or nothing can be written into its folder
 */
export async function assertWritable(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) throw alreadyThere(path);
  const beside = toBeside(path);
  const file = await openBeside(beside, path);
  await file.close();
  await rm(beside, { force: true });
}

function toBeside(path: string): string {
  return join(dirname(path), `.${process.pid}.${Date.now()}.partial`);
}

function openBeside(beside: string, path: string): Promise<FileHandle> {
  return open(beside, 'wx').catch((error: unknown) => {
    throw new UsageError(`cannot write ${path}: ${describe(error, dirname(path))}`, { cause: error });
  });
}

/** The system's own words would name the file beside, of which nobody has heard. */
function describe(error: unknown, folder: string): string {
  switch (Reflect.get(Object(error), 'code')) {
    case 'ENOENT':
      return `there is no folder ${folder}`;
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

/** Into its place in one step, unless something is there. @throws UsageError */
async function moveIfFree(beside: string, path: string): Promise<void> {
  try {
    await link(beside, path);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    if (code === 'EEXIST') throw alreadyThere(path);
    if (typeof code !== 'string' || !NO_LINKS.has(code)) throw error;
    if ((await lstat(path).catch(() => null)) !== null) throw alreadyThere(path);
    return rename(beside, path);
  }
  await rm(beside, { force: true });
}

function alreadyThere(path: string): UsageError {
  return new UsageError(`${path} is there already; give another name, nothing is written over`);
}

/** So that the name survives a power cut too. Not every system lets a folder be synced. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(() => null);
  await opened?.sync().catch(() => undefined);
  await opened?.close();
}
