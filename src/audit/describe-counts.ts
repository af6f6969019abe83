import { formatCount } from '../text/plural.ts';
/** `schema`, where all are the same; `3 schema, 2 timeout` otherwise, the most frequent first. */
export function describeCounts(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  if (sorted.length === 1) return sorted[0]?.[0] ?? '';
  return sorted.map(([word, count]) => `${formatCount(count)} ${word}`).join(', ');
}

/** Counts one more of this word. */
export function countOne(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}
