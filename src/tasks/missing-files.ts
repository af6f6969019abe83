import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskInput } from '../../queues/tasks.ts';
import { leavesWorkspace } from './check.ts';

const MOST_SHOWN = 3;

/**
 * The files of a task that its workspace lacks: most are misspelt, and the task would be paid for. Only the host of the workspace
 * knows them.
 * @param workspaces folder by name, of this host. A workspace that is not among them lacks nothing
 */
export function findMissingFiles(
  { files, workspace }: Pick<TaskInput, 'files' | 'workspace'>,
  workspaces: Readonly<Record<string, string>>,
): string[] {
  if (!Array.isArray(files) || typeof workspace !== 'string' || !Object.hasOwn(workspaces, workspace)) return [];
  const { [workspace]: root } = workspaces;
  if (root === undefined || !existsSync(root)) return [];
  const paths = files.filter((file): file is string => typeof file === 'string');
  return paths.filter((file) => !file.includes('\0') && !leavesWorkspace(file) && !existsSync(join(root, file)));
}

/** For a message. */
export function describeMissing({ workspace }: Pick<TaskInput, 'workspace'>, missing: readonly string[]): string {
  const shown = missing.slice(0, MOST_SHOWN).map((file) => JSON.stringify(file));
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : '';
  return `workspace ${workspace} has no ${shown.join(', ')}${more}`;
}
