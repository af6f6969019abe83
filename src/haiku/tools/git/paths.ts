import { lstat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { resolveInside } from '../files/safe-path.ts';
import { GUARDED_NAMES } from '../files/secret-names.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';

/**
 * Checks path words of a command, which are relative to the folder it runs in.
 * @returns them in the form `./path`, so that git takes none for an option or a pattern with signs
 * @throws ToolRefusal for a path outside the workspace, or with a guarded name
 */
export async function checkPaths(
  words: readonly string[],
  folder: string,
  context: WorkspaceContext,
): Promise<string[]> {
  const within = relative(context.workspace.root, folder).split(sep).join('/');
  for (const word of words) {
    if (word.startsWith(':')) throw new ToolRefusal(`git: path ${JSON.stringify(word)}: may not start with ":"`);
    await resolveInside(posix.isAbsolute(word) ? word : posix.join(within, word), context);
  }
  return words.map((word) => `./${word}`);
}

/** Returns path patterns that leave guarded files out of what a command shows or takes. */
export function toHidden(): string[] {
  return GUARDED_NAMES.flatMap((name) => [
    `:(top,exclude,icase,glob)**/${name}`,
    `:(top,exclude,icase,glob)**/${name}/**`,
  ]);
}

/** Whether all paths are single files. Their names were checked one by one, so no other file is meant. */
export async function areFiles(words: readonly string[], folder: string): Promise<boolean> {
  if (words.length === 0) return false;
  for (const word of words) {
    if (/[*?[\\]/.test(word)) return false;
    const stats = await lstat(join(folder, word)).catch(() => null);
    if (stats === null || stats.isDirectory()) return false;
  }
  return true;
}
