import type { FoundFinding, FoundFindings } from '../../src/findings/types.ts';

/** What a search for one word found. */
export function foundFindings(...found: Pick<FoundFinding, 'id' | 'at' | 'summary'>[]): FoundFindings {
  return {
    found: found.map((one) => ({ isPartial: false, toolErrors: 0, matches: 1, ...one })),
    termCount: 1,
    olderCount: 0,
    tooLargeCount: 0,
  };
}
