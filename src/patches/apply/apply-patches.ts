import { toMessage } from '../../errors.ts';
import { GitError } from '../../git/git.ts';
import { changePatchState } from '../change-state.ts';
import { PatchError } from '../patch-error.ts';
import { readPatchText } from '../record.ts';
import { selectPatches } from '../select.ts';
import type { PatchRecord, StateMark } from '../types.ts';
import { changeTree } from './change/change-tree.ts';
import { TreeMovedError } from './change/place-files.ts';
import { recoverTree } from './change/recover.ts';
import type { PatchHost } from './host.ts';
import { findDirty } from './person/find-dirty.ts';
import { assertFinished, openPersonTree, type PersonTree } from './person/person-tree.ts';
import { makeScratch, openScratchGit, removeScratch } from './person/scratch.ts';
import { parseIdentity } from './plan/make-commit.ts';
import { planPatches } from './plan/plan-patches.ts';
import type { ApplyPlan, LeftPatch, PlannedPatch } from './plan/types.ts';
import { toOutcome } from './outcome.ts';
import type { ApplyOptions, PatchOutcome, PatchReport } from './types.ts';

/** A person's commit or edit during the planning makes it begin again, so often. */
const TRIES = 3;

/**
 * Applies patches to the person's working trees, one commit each. Those that do not fit, or touch what the person changed, are
 * left out and named; what is left out was not changed in any part.
 * @throws UsageError for a wrong selection; NotFoundError; RedisUnusableError
 */
export async function applyPatches(host: PatchHost, options: ApplyOptions): Promise<PatchReport> {
  const records = await selectPatches(host.db, options);
  const report: PatchReport = { patches: [], notes: [] };
  for (const workspace of new Set(records.map((record) => record.workspace))) {
    const own = records.filter((record) => record.workspace === workspace);
    try {
      const part = await applyInWorkspace(host, workspace, own, options);
      report.patches.push(...part.patches);
      report.notes.push(...part.notes);
    } catch (error) {
      if (!(error instanceof PatchError) && !(error instanceof GitError)) throw error;
      report.patches.push(...own.map((record) => toOutcome(record, 'refused', { why: toMessage(error) })));
    }
  }
  return report;
}

async function applyInWorkspace(
  host: PatchHost,
  workspace: string,
  records: readonly PatchRecord[],
  options: ApplyOptions,
): Promise<PatchReport> {
  const signal = options.signal ?? new AbortController().signal;
  const store = storeMarks(host);
  const first = await openPersonTree(workspace, host.workspaces, signal);
  const recoveries = await recoverTree(first, store, signal);
  const notes = recoveries.flatMap((recovery) => recovery.notes);
  for (let tries = 1; ; tries += 1) {
    const isFresh = tries === 1 && recoveries.length === 0;
    const tree = isFresh ? first : await openPersonTree(workspace, host.workspaces, signal);
    await assertFinished(tree);
    try {
      const part = await applyToTree(host, tree, records, options, signal);
      return { patches: part.patches, notes: [...notes, ...part.notes] };
    } catch (error) {
      if (!(error instanceof TreeMovedError) || tries === TRIES) throw error;
    }
  }
}

async function applyToTree(
  host: PatchHost,
  tree: PersonTree,
  records: readonly PatchRecord[],
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<PatchReport> {
  const { dryRun = false, threeWay = false } = options;
  const scratch = await makeScratch(tree, { keepsObjects: !dryRun });
  try {
    const open = records.filter(({ state }) => state !== 'applied' && state !== 'empty');
    const plan = await planPatches(open, {
      git: await openScratchGit(tree, scratch, signal),
      onto: tree.head.commit,
      committer: tree.committer,
      isThreeWay: threeWay,
      readText: (record) => readPatchText(host.db, record.findingId),
      findBlocked: (changes) => findDirty(tree, scratch, changes, signal),
      check: null,
    });
    options.onLeft?.(plan.left.map((left) => toOutcome(left.record, left.outcome, left)));
    const at = new Date().toISOString();
    const notes = dryRun || plan.planned.length === 0 ? [] : await carryOut(host, tree, scratch, plan, at);
    if (!dryRun) await storeMarks(host)(plan.left.flatMap((left) => toLeftMark(left, at)));
    return { patches: records.map((record) => describe(record, plan, dryRun)), notes };
  } finally {
    await removeScratch(scratch);
  }
}

async function carryOut(
  host: PatchHost,
  tree: PersonTree,
  scratch: Parameters<typeof changeTree>[1],
  plan: ApplyPlan,
  at: string,
): Promise<string[]> {
  const marks = plan.planned.map(({ record: { findingId }, commit }): StateMark => {
    return {
      findingId,
      state: 'applied',
      applied: { commit, onto: tree.head.branch, at },
      undone: null,
      conflict: null,
    };
  });
  const author = parseIdentity(plan.planned[0]?.record.author ?? '');
  const count = plan.planned.length;
  const reason = `fleet apply: ${count === 1 ? 'one patch' : `${count} patches`}`;
  const late = await changeTree(tree, scratch, {
    to: plan.next,
    reason,
    committer: tree.committer ?? author,
    marks,
  });
  await storeMarks(host)(marks);
  return tree.head.branch === null ? [...late, detachedNote(plan)] : late;
}

function detachedNote({ next }: ApplyPlan): string {
  return `HEAD is detached: the commits are on no branch; \`git switch -c NAME ${next}\` makes one`;
}

/** A patch that did not fit is in conflict until it fits; one that HEAD holds is applied. */
function toLeftMark({ record, outcome, why, paths, commit }: LeftPatch, at: string): StateMark[] {
  const { findingId, state } = record;
  if (outcome === 'already' && commit !== null) {
    return [{ findingId, state: 'applied', applied: { commit, onto: null, at }, conflict: null }];
  }
  const isOpen = state === 'pending' || state === 'conflict';
  return outcome === 'conflict' && isOpen ? [{ findingId, state: 'conflict', conflict: { paths, why, at } }] : [];
}

function describe(record: PatchRecord, { planned, left }: ApplyPlan, dryRun: boolean): PatchOutcome {
  const own = planned.find((one: PlannedPatch) => one.record === record);
  if (own !== undefined) return toOutcome(record, dryRun ? 'fits' : 'applied', { commit: dryRun ? null : own.commit });
  const out = left.find((one) => one.record === record);
  if (out !== undefined) return toOutcome(record, out.outcome, out);
  const applied = record.applied?.commit ?? null;
  return record.state === 'applied'
    ? toOutcome(record, 'already', { commit: applied, why: `applied before, as ${applied ?? 'a commit'}` })
    : toOutcome(record, 'refused', { why: 'it changes nothing' });
}

function storeMarks({ db }: PatchHost): (marks: readonly StateMark[]) => Promise<void> {
  return async (marks) => {
    for (const mark of marks) await changePatchState(db, mark);
  };
}
