import { noteChange } from '../../audit/note-change.ts';
import { toMessage, UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { GitError } from '../../git/git.ts';
import { readJob } from '../../jobs/state/states.ts';
import { changePatchState } from '../change-state.ts';
import { PatchError } from '../patch-error.ts';
import type { PatchHost } from '../patch-host.ts';
import { findPatch, listOpenPatches, requirePatch, selectPatches } from '../select.ts';
import { deleteBranch } from '../task-tree/branch.ts';
import { removeTree } from '../task-tree/remove-tree.ts';
import type { TaskTree } from '../task-tree/types.ts';
import type { PatchRecord, PatchSelection } from '../types.ts';
import { commitWork } from './clean/commit-work.ts';
import { listTaskTrees, removeTaskTrees, toKeptNote } from './clean/remove-task-trees.ts';
import { toOutcome } from './outcome.ts';
import { openPersonTree } from './person/person-tree.ts';
import type { PatchOutcome, PatchReport } from './types.ts';

/** States of a task's job in which its tree is still needed. */
const OPEN = ['active', 'waiting', 'prioritized', 'delayed', 'waiting-children'];

/**
 * Discards patches: their trees on this host and their branches go. Of a failed task, which has no patch, what its tree holds is
 * committed first. Nothing that no commit holds is removed.
 * @throws UsageError for a wrong selection; NotFoundError; RedisUnusableError
 */
export async function discardPatches(
  host: PatchHost,
  selection: PatchSelection,
  signal: AbortSignal = new AbortController().signal,
): Promise<PatchReport> {
  const report: PatchReport = { patches: [], notes: [] };
  const [records, tasks] = await select(host, selection);
  for (const { taskId } of tasks) await requireEnded(host, taskId);
  for (const record of records) {
    await tell(report, record, async () => await discardOne(host, record, report.notes, signal));
  }
  for (const { taskId, trees } of tasks) {
    const named = toUnrecorded(taskId, trees);
    await tell(report, named, async () => await discardTrees(host, named, trees, report.notes, signal));
  }
  return report;
}

async function tell(report: PatchReport, record: PatchRecord, work: () => Promise<PatchOutcome>): Promise<void> {
  try {
    report.patches.push(await work());
  } catch (error) {
    if (!(error instanceof PatchError) && !(error instanceof GitError) && !isSystemError(error)) throw error;
    const why = isSystemError(error)
      ? `its tree cannot be looked at (${toMessage(error)}); take what you need from there, remove the tree's folder, then discard it again`
      : toMessage(error);
    report.patches.push(toOutcome(record, 'refused', { why }));
  }
}

/** What a damaged tree answers. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

interface LeftTrees {
  taskId: string;
  trees: TaskTree[];
}

/** An id without a patch may be a task that left a tree on this host. */
async function select(host: PatchHost, selection: PatchSelection): Promise<[PatchRecord[], LeftTrees[]]> {
  const { ids = [], batch, mission } = selection;
  if (ids.length === 0 || batch !== undefined || mission !== undefined) {
    return [await selectPatches(host.db, selection), []];
  }
  const records: PatchRecord[] = [];
  const tasks: LeftTrees[] = [];
  for (const id of new Set(ids)) {
    const record = await findPatch(host.db, id);
    const trees = record === null ? await listTaskTrees(host, id) : [];
    if (record === null && trees.length > 0) tasks.push({ taskId: id, trees });
    else records.push(record ?? (await requirePatch(host.db, id)));
  }
  return [records, tasks];
}

async function discardOne(
  host: PatchHost,
  record: PatchRecord,
  notes: string[],
  signal: AbortSignal,
): Promise<PatchOutcome> {
  const { state, findingId, head, workspace } = record;
  if (state === 'applied')
    return toOutcome(record, 'refused', { why: `it is applied; \`fleet undo ${findingId}\` takes it back` });
  if (host.workspaces[workspace] === undefined) {
    notes.push(
      `workspace ${workspace} is not on this host: the tree and the branch go with the next sweep on ${record.host}`,
    );
  } else {
    const { repository } = await openPersonTree(workspace, host.workspaces, signal);
    notes.push(...(await removeTaskTrees(host, repository, record, { keepsWork: false, signal })));
  }
  for (const other of await listOpenPatches(host.db)) {
    if ((other.carries ?? []).includes(findingId))
      notes.push(`${other.findingId} carries its changes, and still holds them`);
  }
  await changePatchState(host.db, { findingId, state: 'discarded' });
  return toOutcome(record, 'discarded', { commit: head });
}

/** @throws UsageError */
async function requireEnded({ db }: PatchHost, taskId: string): Promise<void> {
  const { state } = await readJob(db, 'tasks', taskId);
  if (!OPEN.includes(state)) return;
  throw new UsageError(`task ${taskId}: is ${state}, and works in its tree; first \`fleet cancel ${taskId}\``);
}

/** A task without a patch: it failed, was cancelled, or its job was removed. */
async function discardTrees(
  host: PatchHost,
  named: PatchRecord,
  trees: readonly TaskTree[],
  notes: string[],
  signal: AbortSignal,
): Promise<PatchOutcome> {
  const { repository } = await openPersonTree(named.workspace, host.workspaces, signal);
  let newest: string | null = null;
  let removed = 0;
  for (const tree of trees) {
    const { commit, leftOut } = await commitWork(host, { tree, repository, record: null }, signal);
    newest = commit ?? newest;
    if (leftOut.length > 0) {
      notes.push(toKeptNote(tree, leftOut));
      continue;
    }
    const { branch, heads, base } = tree.info;
    await removeTree(tree);
    removed += 1;
    if (!(await deleteBranch(repository, branch, heads.at(-1) ?? base, signal))) {
      notes.push(`the branch ${branch} stays: it was moved, or a working tree is on it`);
    }
  }
  if (removed > 0) {
    const about = { task: named.taskId };
    await noteChange(host.db, {
      what: 'discard',
      about,
      before: { trees: removed },
      after: { trees: 0, commit: newest },
    });
  }
  return toOutcome(named, 'discarded', { commit: newest });
}

/** What is told of a task that has no patch. */
function toUnrecorded(taskId: string, trees: readonly TaskTree[]): PatchRecord {
  const info = trees.at(-1)?.info;
  return {
    findingId: info?.finding ?? toFindingId(taskId),
    taskId,
    workspace: info?.workspace ?? '',
    host: info?.host ?? '',
    base: info?.base ?? '',
    head: info?.base ?? '',
    branch: info?.branch ?? '',
    message: `What task ${taskId} left`,
    author: '',
    changes: [],
    added: 0,
    removed: 0,
    state: 'pending',
    leftOut: [],
    buildsOn: [],
    batch: null,
    missionId: null,
    createdAt: info?.madeAt ?? '',
    applied: null,
    undone: null,
    conflict: null,
  };
}
