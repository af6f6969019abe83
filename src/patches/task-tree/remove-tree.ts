import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HALF_MADE } from './places.ts';
import type { TaskTree } from './types.ts';

/**
 * Removes a tree, if it is still there: the worker of its task and a sweep may do so at once. It gets a temporary name first, so that
 * no run opens a half-removed one.
 */
export async function removeTree({ folder }: Pick<TaskTree, 'folder'>): Promise<void> {
  const away = join(dirname(folder), `${HALF_MADE}${process.pid}-${basename(folder)}`);
  try {
    await rename(folder, away);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  await rm(away, { recursive: true, force: true });
}
