import { toMessage, UsageError } from '../../errors.ts';
import { findCarriers } from '../carriers.ts';
import type { PatchHost } from '../patch-host.ts';
import { selectPatches } from '../select.ts';
import type { PatchRecord, StateMark } from '../types.ts';
import { readAllCarried, toMarks, toWarnings, type Carried } from './carried.ts';
import { sweepCheckTrees } from './check/check-tree.ts';
import { runCheck } from './check/run-check.ts';
import { removeTaskTrees } from './clean/remove-task-trees.ts';
import { carryOut, storeMarks, workInTrees, type TreePlace } from './in-tree.ts';
import { describePlan } from './outcome.ts';
import { findDirty } from './person/find-dirty.ts';
import { openScratchGit } from './person/scratch.ts';
import { findUnmet } from './plan/find-unmet.ts';
import { planPatches } from './plan/plan-patches.ts';
import { readText } from './plan/read-text.ts';
import type { ApplyPlan, LeftPatch } from './plan/types.ts';
import { moveTarget, openBranch, type TargetBranch } from './publish/branch.ts';
import { openPullRequest } from './publish/open-pull-request.ts';
import { openPublisher } from './publish/pull-request.ts';
import { toOutcome } from './outcome.ts';
import type { ApplyOptions, PatchReport } from './types.ts';

/**
 * Applies patches to the person's working trees, one commit each. Those that do not fit, or touch what the person changed, are
 * left out and named; what is left out was not changed in any part.
 * @throws UsageError for a wrong selection, or `pr` where it is not allowed; NotFoundError; RedisUnusableError
 */
export async function applyPatches(host: PatchHost, options: ApplyOptions): Promise<PatchReport> {
  const { dryRun = false, pr = false, signal = new AbortController().signal } = options;
  if (pr && !host.mayPublish) {
    throw new UsageError(
      '--pr: it pushes a branch and opens a pull request, only where FLEET_PR=1 is set; nothing was done',
    );
  }
  if (options.check?.trim() === '') throw new UsageError('--check: expected a command, got none');
  const records = await selectPatches(host.db, options);
  const branch = options.branch ?? (pr ? toBranchName(options, records) : undefined);
  await sweepCheckTrees(host);
  return await workInTrees(records, {
    host,
    signal,
    dryRun,
    movesHead: branch === undefined,
    run: (place) => applyToTree(host, place, { ...options, ...(branch === undefined ? {} : { branch }) }, signal),
  });
}

/** Name of the branch of a pull request. */
function toBranchName({ batch, mission }: ApplyOptions, records: readonly PatchRecord[]): string {
  const name = batch ?? mission ?? records[0]?.taskId ?? 'patches';
  return `fleet-apply/${name.replaceAll(/[^A-Za-z0-9_-]+/g, '-')}`;
}

async function applyToTree(
  host: PatchHost,
  place: TreePlace,
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<PatchReport> {
  const { tree, records } = place;
  const { dryRun = false, pr = false, branch } = options;
  const target = branch === undefined ? null : await openBranch(tree, branch, signal);
  const publisher = pr ? await openPublisher(tree, signal) : null;
  const plan = await makePlan(host, place, { target, options, signal });
  const carried = await readAllCarried(host, records);
  const warnings = toWarnings(records, carried);
  for (const warning of warnings) options.onWarning?.(warning);
  options.onLeft?.(plan.left.map((left) => toOutcome(left.record, left.outcome, left)));
  const report: PatchReport = {
    patches: describePlan(records, plan, dryRun ? 'fits' : 'applied'),
    notes: [...warnings],
  };
  if (dryRun) return report;
  const at = host.db.clock.date().toISOString();
  const count = plan.planned.length;
  if (count > 0) report.notes.push(...(await make(host, place, { plan, target, at, carried })));
  const carriers = findCarriers(records); // what becomes of a carried one was stored with its carrier
  const left = plan.left.filter(({ record }) => !carriers.has(record.findingId));
  await storeMarks(host)(left.flatMap((one) => toLeftMark(one, carried, at)));
  const done = records.filter((record) => isDone(record, plan));
  for (const record of done) report.notes.push(...(await clear(host, place, record)));
  if (publisher !== null && count > 0) {
    report.pullRequest = await openPullRequest(tree, publisher, { branch: branch ?? '', plan }, signal);
  }
  return report;
}

/** Removes tree and branch of an applied patch. What goes wrong here takes nothing back: the patch is applied. @returns notes */
async function clear(host: PatchHost, { tree }: TreePlace, record: PatchRecord): Promise<string[]> {
  const { signal } = new AbortController(); // Ctrl-C must not hide what was applied
  try {
    return await removeTaskTrees(host, tree.repository, record, { keepsWork: true, signal });
  } catch (error) {
    return [
      `${record.taskId}: its tree could not be removed (${toMessage(error)}); \`fleet worktrees --prune\` tries again`,
    ];
  }
}

interface PlanParts {
  target: TargetBranch | null;
  options: ApplyOptions;
  signal: AbortSignal;
}

async function makePlan(
  host: PatchHost,
  { tree, scratch, records }: TreePlace,
  { target, options, signal }: PlanParts,
): Promise<ApplyPlan> {
  const { check, threeWay = false, onCheck } = options;
  const open = records.filter(({ state }) => state !== 'applied' && state !== 'empty');
  const git = await openScratchGit(tree, scratch, signal);
  let checked = 0;
  return await planPatches(open, await findUnmet(host.db, open), {
    git,
    onto: target?.at ?? tree.head.commit,
    committer: tree.committer,
    isThreeWay: threeWay,
    readText: (record) => readText(host.db, git, record),
    findBlocked: async (changes) => (target === null ? await findDirty(tree, scratch, changes, signal) : []),
    check:
      check === undefined
        ? null
        : async (commit, { message }) => {
            checked += 1;
            onCheck?.(checked, open.length, message.split('\n', 1)[0] ?? '');
            return await runCheck(host, tree, scratch, { command: check, commit, signal });
          },
  });
}

/** Makes what was planned true. @returns notes */
async function make(
  host: PatchHost,
  { tree, scratch }: TreePlace,
  { plan, target, at, carried }: { plan: ApplyPlan; target: TargetBranch | null; at: string; carried: Carried },
): Promise<string[]> {
  const onto = target?.name ?? tree.head.branch;
  const marks = plan.planned.flatMap(({ record, commit }) => toMarks(record, carried, { commit, onto, at }));
  const count = plan.planned.length;
  const reason = `fleet apply: ${count === 1 ? 'one patch' : `${count} patches`}`;
  if (target === null) return await carryOut(host, tree, scratch, plan, { reason, marks });
  await moveTarget(tree, target, { to: plan.next, reason, author: plan.planned[0]?.record.author ?? '' });
  await storeMarks(host)(marks);
  return [];
}

/** A patch that did not fit is in conflict until it fits; one that HEAD holds is applied. */
function toLeftMark({ record, outcome, why, paths, commit }: LeftPatch, carried: Carried, at: string): StateMark[] {
  const { findingId, state } = record;
  if (outcome === 'already' && commit !== null) {
    return toMarks(record, carried, { commit, onto: null, at });
  }
  const isOpen = state === 'pending' || state === 'conflict';
  return outcome === 'conflict' && isOpen ? [{ findingId, state: 'conflict', conflict: { paths, why, at } }] : [];
}

/** Whether a patch is applied now, so that its tree is of no more use. */
function isDone(record: PatchRecord, { planned, left }: ApplyPlan): boolean {
  return (
    planned.some((one) => one.record === record) ||
    left.some((one) => one.record === record && one.outcome === 'already')
  );
}
