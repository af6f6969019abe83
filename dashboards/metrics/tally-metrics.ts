import { Counter, type Registry } from 'prom-client';
import { NANO_PER_USD } from '../../src/pricing/money.ts';
import type { Tally } from '../../src/swarm/tallies/read-tallies.ts';
import { formatHistogram, type Durations } from './format-histogram.ts';

/** What the scripts count: the labels of a kind, in the order of its fields. `lib/tally.lua` and `lib/booking.lua` write them. */
const COUNTERS = [
  {
    kind: 'call',
    name: 'fleet_calls_total',
    help: "Calls of a model by outcome: served, broken (the reply broke off), or why it failed, such as rate_limited for a provider's 429",
    labels: ['vendor', 'model', 'outcome'],
    unit: 1,
  },
  {
    kind: 'tokens',
    name: 'fleet_tokens_total',
    help: 'Tokens that the fleet paid for; a token of the prompt is either input, cache_write or cache_read',
    labels: ['vendor', 'model', 'kind'],
    unit: 1,
  },
  {
    kind: 'nano',
    name: 'fleet_cost_usd_total',
    help: 'Dollars that the fleet paid, without what is uncertain',
    labels: ['vendor', 'model'],
    unit: NANO_PER_USD,
  },
] as const;

const HISTOGRAMS = [
  {
    kind: 'call',
    name: 'fleet_call_duration_seconds',
    help: 'Duration of calls, whatever their outcome',
    labels: ['vendor', 'model'],
  },
  {
    kind: 'wait',
    name: 'fleet_job_wait_seconds',
    help: 'Time from when a job was added until it began its first call',
    labels: ['queue'],
  },
  {
    kind: 'job',
    name: 'fleet_job_duration_seconds',
    help: 'Time from the first call of a job until its end: completed, partial (out of turns), failed or cancelled',
    labels: ['queue', 'outcome'],
  },
] as const;

/** Adds the counters. A counter without counts is left out: the library would report 0 without labels. */
export function addTallies(registry: Registry, tallies: readonly Tally[]): void {
  for (const { kind, name, help, labels, unit } of COUNTERS) {
    const counted = tallies.filter((tally) => tally.kind === kind && tally.labels.length >= labels.length);
    if (counted.length === 0) continue;
    const counter = new Counter({ name, help, labelNames: labels, registers: [registry] });
    for (const tally of counted) counter.inc(toLabels(labels, tally.labels), tally.amount / unit);
  }
}

/** Formats the histograms in the Prometheus text format; one without counts is left out. */
export function formatDurations(tallies: readonly Tally[], swarm: string): string[] {
  return HISTOGRAMS.flatMap(({ kind, name, help, labels }) => {
    const series = new Map<string, Durations>();
    for (const tally of tallies) {
      if (tally.kind !== kind && tally.kind !== `${kind}_ms`) continue;
      const own = { ...toLabels(labels, tally.labels), swarm };
      const key = JSON.stringify(own);
      const durations = series.get(key) ?? { labels: own, sumMs: 0, counts: new Map() };
      series.set(key, durations);
      if (tally.kind === kind) addCount(durations.counts, tally);
      else durations.sumMs += tally.amount;
    }
    return series.size === 0 ? [] : [formatHistogram({ name, help }, [...series.values()])];
  });
}

/** The last part of a field is the upper bound of its bucket, ms; `none`: the duration is not known. */
function addCount(counts: Map<number, number>, { labels, amount }: Tally): void {
  const last = labels.at(-1);
  if (last === 'none') return;
  const bound = last === 'inf' ? Infinity : Number(last);
  counts.set(bound, (counts.get(bound) ?? 0) + amount);
}

function toLabels(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
