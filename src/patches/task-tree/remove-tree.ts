import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HALF_MADE } from './places.ts';
import type { TaskTree } from './types.ts';

/** Removes a tree. It gets a temporary name first, so that no run opens a half-removed one. */
export async function removeTree({ folder }: Pick<TaskTree, 'folder'>): Promise<void> {
  const away = join(dirname(folder), `${HALF_MADE}${process.pid}-${basename(folder)}`);
  await rename(folder, away);
  await rm(away, { recursive: true, force: true });
}
