import { askGit, mustGit } from '../../../git/git.ts';
import { findCarriers } from '../../carriers.ts';
import type { PatchRecord } from '../../types.ts';
import type { BytePath } from '../person/byte-path.ts';
import type { BlockedPath } from '../person/find-dirty.ts';
import { isSameEntry, type TreeChange } from '../person/tree-changes.ts';
import { findApplied } from './find-applied.ts';
import { findMissing, leaveToCarrier } from './find-unmet.ts';
import { findUnfit } from './find-unfit.ts';
import { fitPatch } from './fit.ts';
import { leave, leaveBlocked } from './leave.ts';
import { makeCommit, parseIdentity } from './make-commit.ts';
import type { ApplyPlan, LeftPatch, PlannedPatch, PlanInput } from './types.ts';

/**
 * Plans what applying patches does, one commit each. Only objects are written.
 * @param records in the order in which they apply
 * @param unmet those of them that are left out from the beginning
 * @throws GitError; what the check throws
 */
export async function planPatches(
  records: readonly PatchRecord[],
  unmet: readonly LeftPatch[],
  input: PlanInput,
): Promise<ApplyPlan> {
  const blocked = [...unmet];
  for (;;) {
    const trial = await tryAll(records, blocked, { ...input, check: null });
    const more = await findBlockedPatches(trial, input);
    if (more.length === 0 && input.check === null) return trial;
    if (more.length === 0) return await tryAll(records, blocked, input);
    blocked.push(...more); // what comes after one of these may fit otherwise without it
  }
}

/** Fits one patch on the other. @param blocked patches that are left out whatever they would do */
async function tryAll(
  records: readonly PatchRecord[],
  blocked: readonly LeftPatch[],
  input: PlanInput,
): Promise<ApplyPlan> {
  const { git, onto } = input;
  const plan: ApplyPlan = { onto, next: onto, planned: [], left: [] };
  let tree = await askGit(git, ['rev-parse', `${onto}^{tree}`]);
  await mustGit(git, ['read-tree', tree]);
  const carriers = findCarriers(records);
  for (const record of records) {
    if (carriers.has(record.findingId)) continue;
    const out = blocked.find((one) => one.record === record) ?? findMissing(record, plan.left, carriers);
    const step = out ?? (await tryOne(record, tree, plan, input));
    if ('outcome' in step) {
      plan.left.push(step);
      continue;
    }
    tree = step.tree;
    plan.planned.push(step.planned);
    plan.next = step.planned.commit;
  }
  for (const record of records) {
    const carrier = carriers.get(record.findingId);
    if (carrier !== undefined) plan.left.push(leaveToCarrier(record, carrier, plan));
  }
  return plan;
}

async function tryOne(
  record: PatchRecord,
  tree: string,
  { onto, next }: ApplyPlan,
  input: PlanInput,
): Promise<LeftPatch | { planned: PlannedPatch; tree: string }> {
  const { git, isThreeWay, check } = input;
  const text = await input.readText(record);
  if (text === null) {
    return leave(record, 'refused', 'its text is no longer kept, and this repository does not hold its commits');
  }
  const holder = await findApplied(git, record, text, onto);
  if (holder !== null) return { ...leave(record, 'already', 'HEAD holds it'), commit: holder };
  const fit = await fitPatch(git, text, { onto: tree, isThreeWay });
  if (!fit.fits) return leave(record, 'conflict', fit.why, fit.paths);
  if (fit.changes.length === 0) return { ...leave(record, 'already', 'HEAD holds what it changes'), commit: next };
  const author = parseIdentity(record.author);
  const commit = await makeCommit(git, {
    tree: fit.tree,
    parent: next,
    message: record.message,
    author,
    authoredAt: record.createdAt,
    committer: input.committer ?? author,
  });
  const tail = check === null ? null : await check(commit, record);
  if (tail === null) return { planned: { record, commit, changes: fit.changes }, tree: fit.tree };
  await mustGit(git, ['read-tree', tree]);
  return leave(record, 'red', tail);
}

/** Finds the patches of a trial that touch what no patch may, or what the person changed. */
async function findBlockedPatches({ planned }: ApplyPlan, { git, findBlocked }: PlanInput): Promise<LeftPatch[]> {
  const union = mergeChanges(planned);
  const unfit = await findUnfit(git, union);
  const dirty = await findBlocked(union);
  return planned.flatMap(({ record, changes }): LeftPatch[] => {
    const touches = ({ path }: BlockedPath): boolean => changes.some((change) => change.path === path);
    const refused = unfit.filter(touches);
    if (refused.length > 0) return [leaveBlocked(record, 'refused', refused)];
    const own = dirty.filter(touches);
    return own.length > 0 ? [leaveBlocked(record, 'dirty', own)] : [];
  });
}

/** What all patches together change: from what HEAD holds to what the last of them leaves. */
function mergeChanges(planned: readonly PlannedPatch[]): TreeChange[] {
  const merged = new Map<BytePath, TreeChange>();
  for (const { changes } of planned) {
    for (const change of changes) merged.set(change.path, { ...change, old: (merged.get(change.path) ?? change).old });
  }
  return [...merged.values()].filter(({ old, next }) => !isSameEntry(old, next) || old !== null);
}
