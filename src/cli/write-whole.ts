import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toMessage, UsageError } from '../errors.ts';

const BUFFER_CHARS = 256 * 1024;

/**
 * Writes a file whole or not at all: beside it first, then in its place in one step. Whatever was there stays until then.
 * @throws UsageError when the folder cannot be written to, before `fill` is called
 */
export async function writeWhole(
  path: string,
  fill: (write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const beside = join(dirname(path), `.${process.pid}.${Date.now()}.partial`);
  const file = await open(beside, 'wx').catch((error: unknown) => {
    throw new UsageError(`cannot write ${path}: ${toMessage(error)}`, { cause: error });
  });
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
    await rename(beside, path);
  } catch (error) {
    await file.close().catch(() => undefined); // closed already where the rename failed
    await rm(beside, { force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}
