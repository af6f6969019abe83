import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { StatusSnapshot } from '../types.ts';

/** `$0.0012 today; so far 2 calls were killed before their answers were stored`. */
export function describeUncertain({ callCount, todayNanoUsd }: StatusSnapshot['uncertain']): string {
  const what = callCount === 1 ? 'was killed before its answer was' : 'were killed before their answers were';
  return `${formatUsd(todayNanoUsd, 4)} today; so far ${countOf(callCount, 'call')} ${what} stored`;
}
