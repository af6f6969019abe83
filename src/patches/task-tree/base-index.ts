import { copyFile, stat, utimes } from 'node:fs/promises';

/**
 * Copies an index with its times. git takes a file for changed by the times of the index, too: a copy with later ones would hide changes.
 */
export async function keepTimes(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const floor = Math.floor(mtimeMs) / 1_000;
  await utimes(to, floor, floor);
}
