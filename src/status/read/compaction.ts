import { LIVE_LIMIT } from '../../coordinator/compact/types.ts';
import type { CompactionStatus, StatusSnapshot } from '../types.ts';
import { formatCount } from '../../text/plural.ts';

/**
 * @param live how many live findings there are
 * @param stored the record of the last compaction, and whether one runs now
 */
export function toCompaction(
  live: number,
  stored: { compaction: Record<string, string>; isCondensing: boolean },
): CompactionStatus | null {
  const { state, problem = '' } = stored.compaction;
  if (stored.isCondensing) return { state: 'condensing', limit: LIVE_LIMIT, problem: '' };
  if (live <= LIVE_LIMIT) return null;
  return state === 'stuck'
    ? { state: 'stuck', limit: LIVE_LIMIT, problem }
    : { state: 'due', limit: LIVE_LIMIT, problem: '' };
}

/** One line, or null where the archive is within its limit. */
export function describeCompaction({
  compaction,
  findings: { live },
}: Pick<StatusSnapshot, 'compaction' | 'findings'>): string | null {
  if (compaction === null) return null;
  const { state, limit, problem } = compaction;
  const count = formatCount(live);
  const most = formatCount(limit);
  switch (state) {
    case 'condensing':
      return `${count} live findings: old ones are condensed; no new mission starts meanwhile`;
    case 'due':
      return `${count} live findings, more than ${most}: a coordinator condenses old ones before the next mission`;
    case 'stuck':
      return `${count} live findings, more than ${most}: ${problem}; missions go on`;
  }
}
