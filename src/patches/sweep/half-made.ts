import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HALF_MADE } from '../task-tree/places.ts';

/** Removes folders that a process left half made, or half removed, when it died. @param olderThanMs since their last change */
export async function removeHalfMade(worktrees: string, olderThanMs: number): Promise<void> {
  const names = (await readdir(worktrees).catch(() => [])).filter((name) => name.startsWith(HALF_MADE));
  for (const name of names) {
    const path = join(worktrees, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > olderThanMs) await rm(path, { recursive: true, force: true });
  }
}
