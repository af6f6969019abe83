import { toMessage } from '../../errors.ts';
import { GitError } from '../../git/git.ts';
import { changePatchState } from '../change-state.ts';
import { PatchError } from '../patch-error.ts';
import { readPatch } from '../record.ts';
import type { PatchRecord, StateMark } from '../types.ts';
import { changeTree } from './change/change-tree.ts';
import { TreeMovedError } from './change/place-files.ts';
import { recoverTree } from './change/recover.ts';
import type { PatchHost } from '../patch-host.ts';
import { toOutcome } from './outcome.ts';
import { assertMovable, openPersonTree, type PersonTree } from './person/person-tree.ts';
import { makeScratch, removeScratch, type Scratch } from './person/scratch.ts';
import { parseIdentity } from './plan/make-commit.ts';
import type { ApplyPlan } from './plan/types.ts';
import type { PatchReport } from './types.ts';

/** A person's commit or edit during the planning makes it begin again, so often. */
const TRIES = 3;

export interface TreeWork {
  host: PatchHost;
  signal: AbortSignal;
  /** Whether nothing of the person's may change, not even their objects. */
  dryRun: boolean;
  /** Whether HEAD, index and working tree change. */
  movesHead: boolean;
  /** Does the patches of one workspace. It runs again if the person's tree moved meanwhile. */
  run: (place: TreePlace) => Promise<PatchReport>;
}

/** Where the patches of one workspace are worked. */
export interface TreePlace {
  tree: PersonTree;
  scratch: Scratch;
  records: readonly PatchRecord[];
}

/** Runs work in the person's tree of each workspace. What cannot be worked at all is reported as refused. */
export async function workInTrees(records: readonly PatchRecord[], work: TreeWork): Promise<PatchReport> {
  const report: PatchReport = { patches: [], notes: [] };
  for (const workspace of new Set(records.map((record) => record.workspace))) {
    const own = records.filter((record) => record.workspace === workspace);
    try {
      const part = await workInTree(workspace, own, work);
      report.patches.push(...part.patches);
      report.notes.push(...part.notes);
      if (part.pullRequest !== undefined) report.pullRequest = part.pullRequest;
    } catch (error) {
      if (!(error instanceof PatchError) && !(error instanceof GitError)) throw error;
      report.patches.push(...own.map((record) => toOutcome(record, 'refused', { why: toMessage(error) })));
    }
  }
  return report;
}

async function workInTree(workspace: string, records: readonly PatchRecord[], work: TreeWork): Promise<PatchReport> {
  const { host, signal, movesHead, dryRun } = work;
  const first = await openPersonTree(workspace, host.workspaces, signal);
  const recoveries = await recoverTree(first, storeMarks(host), signal);
  const notes = recoveries.flatMap((recovery) => recovery.notes);
  for (let tries = 1; ; tries += 1) {
    const isFresh = tries === 1 && recoveries.length === 0;
    const tree = isFresh ? first : await openPersonTree(workspace, host.workspaces, signal);
    if (movesHead) await assertMovable(tree);
    const scratch = await makeScratch(tree, { keepsObjects: !dryRun });
    try {
      const part = await work.run({ tree, scratch, records: await readAgain(host, records) });
      return { ...part, notes: [...notes, ...part.notes] };
    } catch (error) {
      if (!(error instanceof TreeMovedError) || tries === TRIES) throw error;
    } finally {
      await removeScratch(scratch);
    }
  }
}

/** Reads records again: another command, or the end of a killed one, may have changed them meanwhile. */
async function readAgain({ db }: PatchHost, records: readonly PatchRecord[]): Promise<PatchRecord[]> {
  return await Promise.all(records.map(async (record) => (await readPatch(db, record.findingId)) ?? record));
}

/**
 * Moves the person's HEAD, index and working tree to what a plan leads to, then stores what became of its patches.
 * @returns notes for the person
 */
export async function carryOut(
  host: PatchHost,
  tree: PersonTree,
  scratch: Scratch,
  plan: ApplyPlan,
  { reason, marks }: { reason: string; marks: StateMark[] },
): Promise<string[]> {
  const committer = tree.committer ?? parseIdentity(plan.planned[0]?.record.author ?? '');
  const late = await changeTree(tree, scratch, { to: plan.next, reason, committer, marks });
  await storeMarks(host)(marks);
  if (tree.head.branch !== null) return late;
  return [...late, `HEAD is detached: the commits are on no branch; \`git switch -c NAME ${plan.next}\` makes one`];
}

export function storeMarks({ db }: PatchHost): (marks: readonly StateMark[]) => Promise<void> {
  return async (marks) => {
    for (const mark of marks) await changePatchState(db, mark);
  };
}
