import { quantileOf } from './quantile.ts';
import { toTally } from './read-tallies.ts';
import type { Span } from './spans.ts';

/** Field of `keys.metrics` → count since the swarm began. */
export type Counts = ReadonlyMap<string, number>;

/** What had been counted in a step, at its first look. */
export interface Sample {
  /** Number of the step since 1970. */
  step: number;
  counts: Counts;
}

/** How a task ends. `partial`: out of turns. */
const OUTCOMES = ['completed', 'partial', 'failed', 'cancelled'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Tasks of these outcomes have a finding, and count for the durations: a failure or a cancellation tells nothing of how long work takes. */
const WITH_FINDING: readonly string[] = ['completed', 'partial'] satisfies Outcome[];

const SHARES = { p50: 0.5, p95: 0.95 };
type Percentile = keyof typeof SHARES;

/** One value a step, the oldest first. Null: not known; of durations also: no task ended with a finding. */
type Values = (number | null)[];

export interface Series {
  stepMs: number;
  /** When the first step began, ms since 1970. */
  fromMs: number;
  /** Ended tasks. */
  outcomes: Record<Outcome, Values>;
  /** Model → cost. Only models that cost something in the span. */
  nanoUsd: Record<string, Values>;
  /** From the first call of a task until its end. */
  durationsMs: Record<Percentile, Values>;
  /** Of the whole span. */
  totals: {
    outcomes: Record<Outcome, number>;
    nanoUsd: Record<string, number>;
    durationsMs: Record<Percentile, number | null>;
  };
}

/** What was counted in one step, or in all of them. */
interface Growth {
  outcomes: Map<string, number>;
  nanoUsd: Map<string, number>;
  buckets: Map<number, number>;
}

/**
 * Makes a series of samples: what happened in a step is the difference between its sample and the next one. What happened while nobody
 * took samples counts to the step of the last sample before: its process had ended in that step.
 * @param live the counts of now, which end the newest step
 */
export function toSeries(samples: readonly Sample[], live: Counts, { stepMs, steps }: Span, nowMs: number): Series {
  const last = Math.floor(nowMs / stepMs);
  const first = last - steps + 1;
  const known = samples.filter(({ step }) => step >= first && step <= last).toSorted((a, b) => a.step - b.step);
  const growths: (Growth | null)[] = Array.from({ length: steps }, () => null);
  for (const [i, { step, counts }] of known.entries())
    growths[step - first] = toGrowth(grown(counts, known[i + 1]?.counts ?? live));
  const total = toGrowth([]);
  for (const growth of growths) if (growth !== null) addAll(total, growth);
  const models = [...total.nanoUsd.keys()];
  return {
    stepMs,
    fromMs: first * stepMs,
    outcomes: toRecord(OUTCOMES, (outcome) => growths.map((growth) => growth && (growth.outcomes.get(outcome) ?? 0))),
    nanoUsd: toRecord(models, (model) => growths.map((growth) => growth && (growth.nanoUsd.get(model) ?? 0))),
    durationsMs: toPercentiles((share) => growths.map((growth) => growth && quantileOf(growth.buckets, share))),
    totals: {
      outcomes: toRecord(OUTCOMES, (outcome) => total.outcomes.get(outcome) ?? 0),
      nanoUsd: toRecord(models, (model) => total.nanoUsd.get(model) ?? 0),
      durationsMs: toPercentiles((share) => quantileOf(total.buckets, share)),
    },
  };
}

/** A count never falls: one that is lower was removed, and began again at 0. Samples and counts are lost together, being in one Redis. */
function grown(from: Counts, to: Counts): [field: string, amount: number][] {
  return [...to]
    .map(([field, count]): [string, number] => {
      const before = from.get(field) ?? 0;
      return [field, count < before ? count : count - before];
    })
    .filter(([, amount]) => amount > 0);
}

function toGrowth(fields: readonly [field: string, amount: number][]): Growth {
  const growth: Growth = { outcomes: new Map(), nanoUsd: new Map(), buckets: new Map() };
  for (const [field, count] of fields) {
    const { kind, labels, amount } = toTally(field, count);
    if (kind === 'nano') {
      add(growth.nanoUsd, labels[1] ?? '', amount);
      continue;
    }
    const [, outcome = '', bound] = labels; // of a task: its queue, its outcome, the upper bound of its bucket
    add(growth.outcomes, outcome, amount);
    const upper = bound === 'inf' ? Infinity : Number(bound); // `none`: it made no call
    if (WITH_FINDING.includes(outcome) && !Number.isNaN(upper)) add(growth.buckets, upper, amount);
  }
  return growth;
}

function addAll(to: Growth, { outcomes, nanoUsd, buckets }: Growth): void {
  for (const [name, amount] of outcomes) add(to.outcomes, name, amount);
  for (const [model, amount] of nanoUsd) add(to.nanoUsd, model, amount);
  for (const [upper, amount] of buckets) add(to.buckets, upper, amount);
}

function add<Name>(to: Map<Name, number>, name: Name, amount: number): void {
  to.set(name, (to.get(name) ?? 0) + amount);
}

function toRecord<Name extends string, T>(names: readonly Name[], toValue: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, toValue(name)])) as Record<Name, T>;
}

function toPercentiles<T>(toValue: (share: number) => T): Record<Percentile, T> {
  return { p50: toValue(SHARES.p50), p95: toValue(SHARES.p95) };
}
