import { describe, expect, it } from 'vitest';
import { toCompaction } from '../../../src/status/read/compaction.ts';
import { renderStatus } from '../../../src/status/render/status.ts';
import { snapshotWith } from '../../support/status-snapshot.ts';

/** The line of the status about the archive. */
function archiveLine(
  live: number,
  stored: { compaction?: Record<string, string>; isCondensing?: boolean } = {},
): string {
  const compaction = toCompaction(live, { compaction: {}, isCondensing: false, ...stored });
  const text = renderStatus(
    snapshotWith({
      compaction,
      findings: { live, sinceSession: 0, partialSinceSession: 0, toolErrorsSinceSession: 0, contextTokens: 0 },
    }),
  );
  return text.split('\n').find((line) => line.startsWith('Archive:')) ?? '';
}

describe('the status of an archive', () => {
  it('of 5,000 live findings says nothing, whatever was', () => {
    expect(archiveLine(5_000)).toBe('');
    expect(archiveLine(5_000, { compaction: { state: 'stuck', problem: 'of yesterday' } })).toBe('');
  });

  it('of more says that a coordinator has to compact them', () => {
    expect(archiveLine(5_001)).toBe(
      'Archive:          5,001 live findings, more than 5,000: a coordinator condenses old ones before the next mission',
    );
  });

  it('that is being condensed says that missions wait', () => {
    expect(archiveLine(4_900, { compaction: { state: 'condensing' }, isCondensing: true })).toBe(
      'Archive:          4,900 live findings: old ones are condensed; no new mission starts meanwhile',
    );
  });

  it('that cannot be condensed says why, and that missions go on', () => {
    const problem = 'all that is left belongs to the session in force (now)';
    expect(archiveLine(6_000, { compaction: { state: 'stuck', problem } })).toBe(
      `Archive:          6,000 live findings, more than 5,000: ${problem}; missions go on`,
    );
  });
});
