import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readLedger, type LedgerEntry } from '../../../src/ledger/report/report.ts';
import { BOUNDS_MS } from '../../../src/swarm/tallies/bounds.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readSamples } from '../../support/samples.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool)
  console.warn('promtool is missing: its checks are skipped. Install it with: apt-get install -y prometheus');

function runPromtool(args: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

test('holds the fleet and every queue, each metric described once, each sample with the swarm', async () => {
  const { ask, redis, keys, queues } = await startDashboard(fixture);
  await queues.tasks.add('task', { description: 'x' });
  await queues.tasks.add('task', { description: 'later' }, { priority: 7 });
  const [old] = await queues.tasks.getPrioritized();
  await redis.hset(keys.queueKey('tasks', old?.id ?? ''), 'timestamp', Date.now() - 90_000);
  await redis.hset(keys.counters, { recoveries: 3 });
  await redis.set(keys.haltReason, JSON.stringify({ reason: 'budget' }));
  const text = await (await ask('/metrics')).text();
  const { value, samples } = readSamples(text);
  expect(value('fleet_queue_jobs', { queue: 'tasks', state: 'waiting' })).toBe(2);
  expect(value('fleet_events_total', { event: 'recoveries' })).toBe(3);
  expect(value('fleet_budget_usd', { part: 'limit' })).toBe(5);
  expect(value('fleet_halt_reason', { reason: 'budget' })).toBe(1);
  expect(value('fleet_build_info', { node: process.version })).toBe(1);
  expect(value('fleet_oldest_waiting_seconds', { queue: 'tasks' })).toBeGreaterThanOrEqual(89);
  expect(value('fleet_oldest_waiting_seconds', { queue: 'missions' })).toBe(0);
  expect(value('bullmq_job_completed_total', { queue: 'missions' })).toBe(0);
  expect(samples.filter(({ labels }) => labels['swarm'] !== fixture.swarm)).toEqual([]);
  const types = text.split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(new Set(types).size).toBe(types.length);

  await redis.set(keys.haltReason, 'a reason of "another" program');
  await redis.del(keys.metrics);
  await redis.set(keys.metrics, 'damaged');
  const halted = await (await ask('/metrics')).text();
  expect(readSamples(halted).value('fleet_queue_jobs', { queue: 'tasks', state: 'waiting' })).toBe(2);
});

test('counts calls, tokens, dollars and durations once, as the ledger has them, over restarts', async () => {
  const fleet = await useSimulatedFleet(fixture, {
    simulator: { faults: [{ kind: 'rate-limit', retryAfter: '1', times: 1 }] },
  });
  const ids = [await fleet.add('one [[turns:2]]'), await fleet.add('two'), await fleet.add('three')];
  for (const id of ids) await fleet.until(id, 'completed');
  const failing = await fleet.tasks.add({ description: 'Decide on the database architecture', escalate: [] });
  await fleet.until(failing.id, 'failed');

  const { ask, db } = await startDashboard(fixture);
  const text = await (await ask('/metrics')).text();
  const { value, find } = readSamples(text);
  const of = { vendor: 'haiku', model: 'claude-haiku-5-5' };
  const rows = await readLedger(db);
  const sum = (amount: (row: LedgerEntry) => number): number => rows.reduce((total, row) => total + amount(row), 0);
  const calls = sum((row) => row.calls);
  expect(calls).toBeGreaterThanOrEqual(5);
  expect(value('fleet_calls_total', { ...of, outcome: 'served' })).toBe(calls);
  expect(value('fleet_calls_total', { ...of, outcome: 'rate_limited' })).toBe(1);
  for (const kind of ['input', 'cache_write', 'cache_read', 'output'] as const)
    expect(value('fleet_tokens_total', { ...of, kind }) ?? 0, kind).toBe(sum((row) => row.usage[kind]));
  expect(value('fleet_cost_usd_total', of)).toBeCloseTo(sum((row) => row.nano) / 1e9, 12);

  expect(value('fleet_call_duration_seconds_count', of)).toBe(calls + 1);
  expect(value('fleet_call_duration_seconds_sum', of)).toBeGreaterThan(0);
  expect(value('fleet_job_wait_seconds_count', { queue: 'tasks' })).toBe(4);
  expect(value('fleet_job_duration_seconds_count', { queue: 'tasks', outcome: 'completed' })).toBe(3);
  expect(value('fleet_job_duration_seconds_count', { queue: 'tasks', outcome: 'failed' })).toBe(1);
  // BullMQ's own names do not keep to the conventions.
  const own = text.replaceAll(/^(?:# \w+ )?bullmq_.*\n/gm, '');
  if (hasPromtool) expect(runPromtool(['check', 'metrics'], own)).toBe('');
  const buckets = find('fleet_call_duration_seconds_bucket', of);
  expect(buckets.map(({ labels }) => labels['le'])).toEqual([...BOUNDS_MS.map((ms) => String(ms / 1_000)), '+Inf']);
  const counts = buckets.map((bucket) => bucket.value);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

test('has the bounds by which the scripts count', () => {
  const lua = readFileSync('src/redis/scripts/lib/tally.lua', 'utf8');
  const bounds = /BOUNDS = \{ ([\d, ]+) \}/.exec(lua)?.[1]?.split(', ').map(Number);
  expect(bounds).toEqual([...BOUNDS_MS]);
});

test.runIf(hasPromtool)('the alert rules are valid, and fire when they should', () => {
  expect(runPromtool(['check', 'rules', 'dashboards/grafana/alerts.yml'])).toBe('');
  expect(runPromtool(['test', 'rules', 'test/integration/dashboards/alerts.yml'])).toBe('');
});
