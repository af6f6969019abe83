/** One line of the benchmark's table. */
export interface Measure {
  name: string;
  value: number;
  unit: 'jobs/s' | 'ms' | 'MB' | 'kB' | 'ratio' | 'commands' | 'calls' | 'USD' | '%' | 'findings' | 'keys';
  /** The bound that the value must keep. Undefined: the value is only for comparison. */
  bar?: { atLeast: number } | { atMost: number } | { exactly: number };
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** @param share 0..1 */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function holds({ value, bar }: Measure): boolean {
  if (bar === undefined) return true;
  if ('exactly' in bar) return value === bar.exactly;
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost;
}
