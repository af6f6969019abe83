import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../../../errors.ts';
import { findRepository, isRepository, type Repository } from '../../../git/repository.ts';
import { readJobs, type JobView } from '../../../jobs/state/states.ts';
import type { PatchHost } from '../../patch-host.ts';
import { readPatch } from '../../record.ts';
import { listTrees } from '../../task-tree/list-trees.ts';
import { toWorktreesFolder } from '../../task-tree/places.ts';
import type { TaskTree } from '../../task-tree/types.ts';
import type { PatchRecord } from '../../types.ts';
import type { WorktreeLine } from './types.ts';
import { commitWork, isSaved, type LeftTree } from './commit-work.ts';

/** A tree, with what is needed to remove it. */
export interface ExaminedTree {
  line: WorktreeLine;
  tree: TaskTree;
  record: PatchRecord | null;
  /** Null: it is gone, or cannot be used. */
  repository: Repository | null;
}

/** Examines all task trees of the swarm on this host, oldest first. Changes nothing but unreachable objects. @throws GitError */
export async function examineTrees(host: PatchHost, signal: AbortSignal): Promise<ExaminedTree[]> {
  const trees = await listTrees(toWorktreesFolder(host.dataFolder, host.swarm));
  const jobs = await readJobs(
    host.db,
    'tasks',
    trees.map(({ info }) => info.task),
  );
  const found: ExaminedTree[] = [];
  for (const [i, tree] of trees.entries())
    found.push(await examine(host, tree, jobs[i] ?? { state: 'unknown' }, signal));
  return found.toSorted((a, b) => a.line.madeAt.localeCompare(b.line.madeAt));
}

async function examine(host: PatchHost, tree: TaskTree, job: JobView, signal: AbortSignal): Promise<ExaminedTree> {
  const { info, folder } = tree;
  const stored = await readPatch(host.db, info.finding);
  const record = stored?.taskId === info.task ? stored : null;
  const found = await findRepository(info.root, info.root, signal).catch(() => null);
  const repository = isRepository(found) ? found : null;
  const isOpen = !['completed', 'failed', 'unknown'].includes(job.state);
  const state = isOpen ? job.state : (record?.state ?? (job.state === 'failed' ? 'failed' : 'left'));
  const kept = isOpen
    ? 'its task has not ended'
    : repository === null
      ? `the repository ${info.root} is not usable here`
      : await findReason(host, { tree, record, repository }, state, signal).catch(toUnknown);
  const bytes = await measure(folder);
  const line = { taskId: info.task, findingId: info.finding, workspace: info.workspace, state, folder, bytes };
  return { line: { ...line, madeAt: info.madeAt, kept }, tree, record, repository };
}

/** Why a tree whose task has ended must stay. @returns empty: for no reason */
async function findReason(host: PatchHost, left: LeftTree, state: string, signal: AbortSignal): Promise<string> {
  if (await isSaved(host, left, signal)) return '';
  const { leftOut } = await commitWork(host, left, signal);
  if (leftOut.length > 0) return `it holds what no commit can: ${leftOut.map(({ path }) => path).join(', ')}`;
  const { task } = left.tree.info;
  if (left.record !== null) return `it holds work that its patch does not; \`fleet discard ${task}\` commits it first`;
  const what = state === 'failed' ? 'a retry of its task goes on in it' : 'its work is in no patch';
  return `${what}; \`fleet discard ${task}\` commits and removes it`;
}

/** One tree that is damaged must not hide the others. */
function toUnknown(error: unknown): string {
  return `it cannot be looked at: ${toMessage(error)}`;
}

async function measure(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await measure(path);
    else bytes += (await lstat(path).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
