import { BOUNDS_MS } from './bounds.ts';

/** An upper bound of a bucket, ms, or `Infinity` → durations in this bucket alone. */
export type Buckets = ReadonlyMap<number, number>;

/**
 * Estimates which duration a share of all does not pass: within its bucket, durations count as evenly spread. Beyond the last bound it
 * is the last bound. Prometheus' `histogram_quantile` does the same.
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 * @param share 0..1
 * @returns ms; null: there is none
 */
export function quantileOf(buckets: Buckets, share: number): number | null {
  const filled = [...buckets].filter(([, count]) => count > 0).toSorted(([a], [b]) => a - b);
  let rank = share * filled.reduce((sum, [, count]) => sum + count, 0);
  for (const [upper, count] of filled) {
    if (rank <= count) return placeIn(upper, rank / count);
    rank -= count;
  }
  const last = filled.at(-1); // a sum of fractions may end a hair above the last rank
  return last === undefined ? null : placeIn(last[0], 1);
}

function placeIn(upper: number, share: number): number {
  const lower = BOUNDS_MS.findLast((bound) => bound < upper) ?? 0;
  return upper === Infinity ? lower : lower + (upper - lower) * share;
}
