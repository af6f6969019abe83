/** One line of what `fleet bench` measured. */
export interface Measured {
  name: string;
  unit: 'ms' | 'tasks/s' | 'MB';
  /** How often it was measured. */
  count: number;
  p50: number;
  /** Null: it was measured too seldom for it. */
  p99: number | null;
  /** Why it was not measured; then the numbers are 0. */
  missing?: string;
}

/** Rounds below which a 99th percentile says nothing. */
const ENOUGH_FOR_P99 = 50;

/** @param values at least one */
export function summarize(name: string, unit: Measured['unit'], values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const count = sorted.length;
  return { name, unit, count, p50: at(0.5), p99: count < ENOUGH_FOR_P99 ? null : at(0.99) };
}

/** Measures one step after the other. @returns ms of each */
export async function time(rounds: number, step: (round: number) => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await step(round);
    times.push(performance.now() - began);
  }
  return times;
}
