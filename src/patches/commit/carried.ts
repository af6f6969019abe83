import type { Repository } from '../../git/repository.ts';
import type { Db } from '../../redis/db.ts';
import { readPatch } from '../record.ts';
import { createTreeGit } from '../task-tree/tree-git.ts';
import type { TaskTree } from '../task-tree/types.ts';

/**
 * Finds what a task's patch holds of others that do not fit without it: their tasks, and the paths that they change. A guarded name
 * among these is no secret that the task found.
 * @param start tree with which the task began. Null: it carries none
 */
export async function findCarried(
  db: Db,
  tree: TaskTree,
  start: string | null,
  repository: Repository,
  signal: AbortSignal,
): Promise<{ tasks: string[]; paths: string[] }> {
  const { carries, base } = tree.info;
  if (start === null || carries.length === 0) return { tasks: [], paths: [] };
  const git = await createTreeGit(tree, repository, signal);
  const listed = await git(['diff-tree', '-r', '-z', '--name-only', '--no-renames', base, start]);
  const paths = listed.code === 0 ? (listed.stdout?.toString('utf8').split('\0').filter(Boolean) ?? []) : [];
  const records = await Promise.all(carries.map((id) => readPatch(db, id)));
  return { tasks: records.flatMap((record) => (record === null ? [] : [record.taskId])), paths };
}
