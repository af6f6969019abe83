import { describe, expect, it } from 'vitest';
import { quantileOf } from '../../../src/swarm/tallies/quantile.ts';
import { toSeries, type Sample } from '../../../src/swarm/tallies/to-series.ts';

const SPAN = { stepMs: 60_000, steps: 5 };
const NOW = 100 * 60_000 + 30_000; // in step 100: the span is 96 to 100
const DONE = 'job|tasks|completed|1000';
const HAIKU = 'nano|haiku|claude-haiku-5-5';

function sample(step: number, counts: Record<string, number>): Sample {
  return { step, counts: toCounts(counts) };
}

function toCounts(counts: Record<string, number>): Map<string, number> {
  return new Map(Object.entries(counts));
}

describe('a series', () => {
  it('has of each step what was counted from its sample to the next one, and of the newest until now', () => {
    const samples = [
      sample(98, { [DONE]: 4, [HAIKU]: 50 }),
      sample(96, { [DONE]: 1 }),
      sample(97, { [DONE]: 1, 'job|tasks|failed|none': 2 }),
      sample(99, { [DONE]: 4, [HAIKU]: 50 }),
      sample(100, { [DONE]: 9, [HAIKU]: 50 }),
    ];
    const live = toCounts({ [DONE]: 10, 'job|tasks|failed|none': 2, [HAIKU]: 90, 'nano|other|small%2Fone': 7 });
    expect(toSeries(samples, live, SPAN, NOW)).toMatchObject({
      stepMs: 60_000,
      fromMs: 96 * 60_000,
      outcomes: { completed: [0, 3, 0, 5, 1], failed: [2, 0, 0, 0, 2], cancelled: [0, 0, 0, 0, 0] },
      nanoUsd: { 'claude-haiku-5-5': [0, 50, 0, 0, 40], 'small/one': [0, 0, 0, 0, 7] },
      durationsMs: { p50: [null, 750, null, 750, 750] },
      totals: { outcomes: { completed: 9, failed: 4 }, nanoUsd: { 'claude-haiku-5-5': 90, 'small/one': 7 } },
    });
  });

  it('keeps a gap where nobody took samples, and counts what was found after it to the step before it', () => {
    const samples = [sample(96, { [DONE]: 1 }), sample(99, { [DONE]: 6 }), sample(100, { [DONE]: 6 })];
    const { outcomes, durationsMs } = toSeries(samples, toCounts({ [DONE]: 6 }), SPAN, NOW);
    expect(outcomes.completed).toEqual([5, null, null, 0, 0]);
    expect(durationsMs.p95).toEqual([975, null, null, null, null]);
  });

  it('leaves the newest step open until its sample is there, and leaves out what is of no step of the span', () => {
    const samples = [sample(95, { [DONE]: 1 }), sample(99, { [DONE]: 6 }), sample(140, { [DONE]: 9 })];
    const { outcomes, totals } = toSeries(samples, toCounts({ [DONE]: 8 }), SPAN, NOW);
    expect(outcomes.completed).toEqual([null, null, null, 2, null]);
    expect(totals.outcomes.completed).toBe(2);
  });

  it('counts from 0 what is lower than before: it was removed', () => {
    const samples = [sample(99, { [DONE]: 900, [HAIKU]: 5 }), sample(100, { [DONE]: 3 })];
    const { outcomes, nanoUsd } = toSeries(samples, toCounts({ [DONE]: 4 }), SPAN, NOW);
    expect(outcomes.completed).toEqual([null, null, null, 3, 1]);
    expect(nanoUsd).toEqual({});
  });

  it('takes durations of tasks with a finding alone, and knows nothing without a sample', () => {
    const counts = {
      'job|tasks|failed|100': 50,
      'job|tasks|cancelled|inf': 50,
      'job|tasks|partial|inf': 1,
      'job|tasks|completed|none': 9,
    };
    const { totals } = toSeries([sample(100, {})], toCounts(counts), SPAN, NOW);
    expect(totals.durationsMs).toEqual({ p50: 21_600_000, p95: 21_600_000 });
    const empty = toSeries([], toCounts(counts), SPAN, NOW);
    expect(empty.outcomes.failed).toEqual([null, null, null, null, null]);
    expect(empty.totals).toMatchObject({ outcomes: { failed: 0 }, durationsMs: { p50: null, p95: null } });
  });
});

it('a quantile lies within its bucket, as evenly spread durations do', () => {
  const buckets = new Map([
    [5_000, 10],
    [100, 80],
    [Infinity, 10],
  ]);
  expect(quantileOf(buckets, 0.4)).toBe(50);
  expect(quantileOf(buckets, 0.8)).toBe(100);
  expect(quantileOf(buckets, 0.85)).toBe(2_500 + 1_250); // between the bounds 2,500 and 5,000
  expect(quantileOf(buckets, 1)).toBe(21_600_000);
  expect(quantileOf(new Map([[100, 0]]), 0.5)).toBeNull();
});
