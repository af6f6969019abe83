import type { ChildCounts, MarkedCounts } from './types.ts';
import { formatCount } from '../../text/plural.ts';

/** `12 of 14 tasks done, 2 of them partial, 3 with tool errors`. @param ofAll what follows `of`: `14 tasks done` */
export function describeDone(
  { done, partial, toolErrors }: Pick<MarkedCounts, 'done' | 'partial' | 'toolErrors'>,
  ofAll: string,
): string {
  return [
    `${done} of ${ofAll}`,
    ...(partial === 0 ? [] : [`${partial} of them partial`]),
    ...(toolErrors === 0 ? [] : [`${toolErrors} with tool errors`]),
  ].join(', ');
}

/** `1 failed`, `2 cancelled`, `3 skipped`: what is not done; without those of which there are none. */
export function describeNotDone(counts: Pick<ChildCounts, 'failed' | 'cancelled' | 'skipped'>): string[] {
  return (['failed', 'cancelled', 'skipped'] as const).flatMap((word) =>
    counts[word] === 0 ? [] : [`${formatCount(counts[word])} ${word}`],
  );
}
