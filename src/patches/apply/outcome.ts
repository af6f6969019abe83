import type { PatchRecord } from '../types.ts';
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
