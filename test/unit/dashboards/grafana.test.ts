import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Tally } from '../../../src/swarm/tallies/read-tallies.ts';
import { createStateRegistry } from '../../../dashboards/metrics/state-metrics.ts';
import { addTallies, formatDurations } from '../../../dashboards/metrics/tally-metrics.ts';
import { readSamples } from '../../support/samples.ts';
import { snapshotWith, spendWith } from '../../support/status-snapshot.ts';

/** A fleet of which every metric has a sample. */
const FULL = snapshotWith({
  halt: { reason: 'budget', step: '', at: '', by: '', detail: '' },
  counters: { recoveries: 1 },
  failed: [{ queue: 'tasks', reason: 'schema', count: 1 }],
  lead: { model: 'm', name: 'M', tasks: 0, isWorkers: false },
  spend: { ...snapshotWith().spend, haiku: spendWith({ tasks: 1 }) },
  budget: { day: '', limitNanoUsd: 1, settledNanoUsd: 1, reservedNanoUsd: 0, uncertainNanoUsd: 0 },
  shards: [{ shard: 1, state: 'ok', left: 3, perDay: 9, starts: 0, perWindow: 5 }],
  queues: [
    {
      name: 'tasks',
      paused: false,
      waiting: 1,
      active: 0,
      delayed: 0,
      waitingForChildren: 0,
      parked: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
    },
  ],
  pacing: [
    {
      model: 'm',
      key: 'none',
      calls: 0,
      waiting: { begun: 0, fresh: 0 },
      atOnce: null,
      heldForMs: 0,
      limits: [{ kind: 'requests', perMinute: 60, used: 6, left: 54, from: 'provider' }],
      learned: null,
    },
  ],
});
const TALLIES: Tally[] = [
  { kind: 'call', labels: ['haiku', 'm', 'served', '500'], amount: 2 },
  { kind: 'call', labels: ['haiku', 'm', 'served', 'none'], amount: 1 },
  { kind: 'call', labels: ['haiku', 'm', 'rate_limited', 'inf'], amount: 1 },
  { kind: 'call_ms', labels: ['haiku', 'm'], amount: 900 },
  { kind: 'tokens', labels: ['haiku', 'm', 'input'], amount: 5 },
  { kind: 'nano', labels: ['haiku', 'm'], amount: 3_000_000_000 },
  { kind: 'wait', labels: ['tasks', '100'], amount: 1 },
  { kind: 'job', labels: ['tasks', 'completed', '1000'], amount: 1 },
  { kind: 'of a newer version', labels: ['x'], amount: 1 },
];

async function renderFull(): Promise<string> {
  const registry = createStateRegistry(FULL, { tasks: 0 });
  addTallies(registry, TALLIES);
  return [await registry.metrics(), ...formatDurations(TALLIES, 'fleet')].join('\n');
}

/** The metrics of an expression, each with the labels that it names: in its selector, or in a `by` or `on` beside it. */
function namedIn(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/\b(fleet_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', selector = '']) => ({
    name,
    labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

test.each(['fleet.json', 'alerts.yml'])('%s names only metrics and labels that /metrics has', async (file) => {
  const { samples } = readSamples(await renderFull());
  const labelsOf = new Map(samples.map(({ name, labels }) => [name, Object.keys(labels)]));
  const named = namedIn(readFileSync(`dashboards/grafana/${file}`, 'utf8').replaceAll('\\"', '"'));
  expect(named.length).toBeGreaterThan(10);
  for (const { name, labels } of named) {
    expect([...labelsOf.keys()], `${file}: ${name}`).toContain(name);
    expect(labelsOf.get(name), `${file}: ${name}`).toEqual(expect.arrayContaining(labels));
  }
});

test('the page of metrics names every one, and no other', async () => {
  const families = [...(await renderFull()).matchAll(/^# TYPE (fleet_\w+)/gm)].map(([, name = '']) => name);
  const page = readFileSync('docs/metrics.md', 'utf8');
  const written = [...page.matchAll(/^\| `(fleet_\w+)/gm)].map(([, name = '']) => name);
  expect(written.toSorted()).toEqual(families.toSorted());
});

test('a call without a duration counts as a call and in no bucket, and a bucket holds those below it', async () => {
  const { value } = readSamples(await renderFull());
  expect(value('fleet_calls_total', { outcome: 'served' })).toBe(3);
  expect(value('fleet_call_duration_seconds_bucket', { le: '0.1' })).toBe(0);
  expect(value('fleet_call_duration_seconds_bucket', { le: '0.5' })).toBe(2);
  expect(value('fleet_call_duration_seconds_bucket', { le: '21600' })).toBe(2);
  expect(value('fleet_call_duration_seconds_bucket', { le: '+Inf' })).toBe(3);
  expect(value('fleet_call_duration_seconds_count')).toBe(3);
  expect(value('fleet_call_duration_seconds_sum')).toBe(0.9);
  expect(value('fleet_cost_usd_total')).toBe(3);
});
