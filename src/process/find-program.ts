import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, sep } from 'node:path';

export interface Program {
  /** Absolute. */
  path: string;
  /** `PATH` for the program, without folders of the workspace. */
  searchPath: string;
}

/**
 * Finds a program in this process' `PATH`. Folders of the workspace are left out (`npm run` adds `node_modules/.bin`):
 * a task could write a program with an allowed name there.
 * @param root real path of the workspace
 * @returns null: it is not installed
 */
export async function findProgram(name: string, root: string): Promise<Program | null> {
  const isOutside = (path: string): boolean => path !== root && !path.startsWith(root + sep);
  const folders: string[] = [];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const real = isAbsolute(folder) ? await realpath(folder).catch(() => null) : null;
    if (real !== null && isOutside(real)) folders.push(folder);
  }
  for (const folder of folders) {
    const path = join(folder, name);
    const real = await realpath(path).catch(() => null);
    if (real === null || !isOutside(real) || !(await isExecutable(real))) continue;
    return { path, searchPath: folders.join(delimiter) };
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  if (!(await stat(path)).isFile()) return false;
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
