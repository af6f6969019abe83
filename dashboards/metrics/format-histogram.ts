import { BOUNDS_MS } from '../../src/swarm/tallies/bounds.ts';

/** The durations of one series. `counts`: upper bound of a bucket, ms → durations in it alone. */
export interface Durations {
  labels: Record<string, string>;
  sumMs: number;
  counts: Map<number, number>;
}

/**
 * Formats a histogram in seconds, in the Prometheus text format: the library takes single durations, and Redis holds their counts.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#histograms-and-summaries
 */
export function formatHistogram({ name, help }: { name: string; help: string }, series: readonly Durations[]): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels, sumMs, counts } of series) {
    const upTo = (bound: number): number =>
      [...counts].reduce((sum, [upper, count]) => (upper <= bound ? sum + count : sum), 0);
    for (const bound of [...BOUNDS_MS, Infinity]) {
      const le = bound === Infinity ? '+Inf' : String(bound / 1_000);
      lines.push(`${name}_bucket${formatLabels({ ...labels, le })} ${upTo(bound)}`);
    }
    lines.push(`${name}_sum${formatLabels(labels)} ${sumMs / 1_000}`);
    lines.push(`${name}_count${formatLabels(labels)} ${upTo(Infinity)}`);
  }
  return lines.join('\n');
}

function formatLabels(labels: Record<string, string>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${parts.join(',')}}`;
}

function escape(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
