import type { PatchRecord } from '../types.ts';
import type { ApplyPlan } from './plan/types.ts';
import type { PatchOutcome, PatchOutcomeKind } from './types.ts';

/** Describes what became of a patch. */
export function toOutcome(
  { findingId, taskId, workspace, message }: PatchRecord,
  outcome: PatchOutcomeKind,
  { commit = null, paths = [], why = '' }: Partial<Pick<PatchOutcome, 'commit' | 'paths' | 'why'>> = {},
): PatchOutcome {
  const subject = message.split('\n', 1)[0] ?? '';
  return { findingId, taskId, workspace, subject, outcome, commit, paths, why };
}

/**
 * Describes what becomes of patches by a plan.
 * @param done what becomes of those that are in it; of `fits` no commit is named, for none stays
 */
export function describePlan(
  records: readonly PatchRecord[],
  { planned, left }: ApplyPlan,
  done: 'applied' | 'fits' | 'undone',
): PatchOutcome[] {
  return records.map((record) => {
    const own = planned.find((one) => one.record === record);
    if (own !== undefined) return toOutcome(record, done, { commit: done === 'fits' ? null : own.commit });
    const out = left.find((one) => one.record === record);
    if (out !== undefined) return toOutcome(record, out.outcome, out);
    const commit = record.applied?.commit ?? null;
    if (record.state !== 'applied') return toOutcome(record, 'refused', { why: 'it changes nothing' });
    return toOutcome(record, 'already', { commit, why: `applied before, as ${commit?.slice(0, 12) ?? 'a commit'}` });
  });
}
