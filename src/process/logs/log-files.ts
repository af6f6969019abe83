import { copyFile, stat, truncate } from 'node:fs/promises';

/** A log file of a process is put aside at this size, bytes. The one before it goes: at most twice as much is kept. */
export const MOST_LOG_BYTES = 10 * 2 ** 20;

const LOOK_EVERY_MS = 5_000;

/** The files to which pm2 writes what this process prints; none without pm2. */
export function ownLogFiles(env: NodeJS.ProcessEnv): string[] {
  const files = [env['pm_out_log_path'], env['pm_err_log_path']];
  return [...new Set(files.filter((file) => file !== undefined && file !== '' && file !== '/dev/null'))] as string[];
}

/**
 * Keeps the log files of this process small, without another program: a file that is too large is copied to `<file>.1` and
 * emptied. Its writer appends to it, so that it writes on at the beginning. Lines that are written between the two steps are lost.
 * Looks at once, so that also a process that dies again and again does it.
 * @param onProblem called with what went wrong; the process continues
 */
export async function startLogRotation(
  files: readonly string[],
  onProblem: (error: unknown, file: string) => void,
  mostBytes = MOST_LOG_BYTES,
): Promise<void> {
  const rotateAll = async (): Promise<void> => {
    for (const file of files) await rotate(file, mostBytes).catch((error: unknown) => onProblem(error, file));
  };
  await rotateAll();
  if (files.length > 0) setInterval(() => void rotateAll(), LOOK_EVERY_MS).unref();
}

/** @returns whether the file was too large */
export async function rotate(file: string, mostBytes: number): Promise<boolean> {
  const size = (await stat(file).catch(() => null))?.size ?? 0;
  if (size <= mostBytes) return false;
  try {
    await copyFile(file, `${file}.1`);
  } finally {
    await truncate(file); // also where the disk is full: an old line is worth less than the disk
  }
  return true;
}
