import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HALF_MADE } from './places.ts';
import { readTree } from './tree-info.ts';
import type { TaskTree } from './types.ts';

/** Lists the trees of a swarm on this host. @param worktrees see `toWorktreesFolder` */
export async function listTrees(worktrees: string): Promise<TaskTree[]> {
  const names = await readdir(worktrees).catch(() => []);
  const trees = await Promise.all(
    names.filter((name) => !name.startsWith(HALF_MADE)).map((name) => readTree(join(worktrees, name))),
  );
  return trees.filter((tree) => tree !== null);
}
