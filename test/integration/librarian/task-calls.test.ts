import { describe, expect, it } from 'vitest';
import type { GeminiConfig } from '../../../simulator/gemini/config.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { readShardStates } from '../../../src/librarian/gate/shard-states.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const MODEL = 'gemini-3.5-flash-lite';
const SITE = { 'a.txt': 'one\ntwo\n', 'b.txt': 'three\n' };
const toTask = (description = 'Summarise a.txt and b.txt') => ({ description, model: MODEL, workspace: 'site' });

/** A fleet with two shards of projects of their own, whose limits the provider has, too. */
async function openShards(env: Record<string, string> = {}, configure: GeminiConfig = {}, librarian = false) {
  const simulator = await startSimulator({ gemini: { latencyMs: 0, limits: { all: {} } } });
  redis.cleanup(() => simulator.close());
  const keys = { one: 'local-key-of-shard-one', two: 'local-key-of-shard-two' };
  const projects = { [keys.one]: 'p1', [keys.two]: 'p2' };
  simulator.gemini.configure({ projects, ...configure });
  const fleet = await useFleet(redis, {
    env: {
      GEMINI_BASE_URL: simulator.url,
      ANTHROPIC_BASE_URL: simulator.url,
      GEMINI_API_KEY_SHARD1: keys.one,
      GEMINI_API_KEY_SHARD2: keys.two,
      GEMINI_TIER: 'free',
      ...env,
    },
    site: SITE,
    haiku: 'http',
    ...(librarian && { librarian: 'http' as const }),
  });
  const { db, config } = fleet.inner;
  return { fleet, gemini: simulator.gemini, readStates: () => readShardStates(db, config.shards) };
}

it('a task’s calls and a librarian’s questions share one quota, and are free where the shard is', async () => {
  await storeFindings(redis, {
    finding_tea: { task: 'Look', result: 'The store holds 40 crates of tea.', session: 's' },
  });
  const { fleet, gemini, readStates } = await openShards({ GEMINI_RPD: '100' }, {}, true);
  await fleet.queue.add('task', toTask(), { jobId: 'free' });
  const query = await fleet.ask('How many crates of tea does the store hold?');
  await Promise.all([fleet.until('free', 'completed'), query.finding({ timeoutMs: 15_000 })]);
  const calls = gemini.served().calls;
  expect(calls).toBeGreaterThanOrEqual(3);
  expect((await readStates()).reduce((sum, { left }) => sum + left, 0)).toBe(200 - calls);
  expect(await fleet.findings.get(toFindingId('free'))).toMatchObject({ cost: 0, model: MODEL });
  expect((await fleet.counters())['waits_shards']).toBeUndefined();
});

it('pays what the provider bills on a paid shard', async () => {
  const { fleet, gemini } = await openShards({ GEMINI_TIER: 'paid' }, { paidProjects: ['p1', 'p2'] });
  await fleet.queue.add('task', toTask(), { jobId: 'paid' });
  await fleet.until('paid', 'completed');
  const { billNanoUsd } = gemini.served();
  expect(billNanoUsd).toBeGreaterThan(0);
  expect(await fleet.findings.get(toFindingId('paid'))).toMatchObject({ cost: Math.round(billNanoUsd / 1_000) / 1e6 });
});

describe('a shard that refuses a call', () => {
  it.each([
    ['for its minute', { kind: 'minute-limit' }],
    ['for its day', { kind: 'day-limit' }],
    ['for its key', { kind: 'invalid-key' }],
    ['for its plan', { kind: 'no-free-tier' }],
  ] as const)('%s leaves it to the other one, and nothing cools down', async (_why, fault) => {
    const { fleet, gemini } = await openShards({}, { faults: [{ ...fault, when: { project: 'p1' } }] });
    for (const id of ['t1', 't2', 't3']) await fleet.queue.add('task', toTask(), { jobId: id });
    for (const id of ['t1', 't2', 't3']) await fleet.until(id, 'completed');
    const refused = gemini.requests().filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map(({ project }) => project))).toEqual(new Set(['p1']));
    expect(await fleet.counters()).not.toHaveProperty('waits_rate_limit');
    expect(await fleet.halt.read()).toBeNull();
  });
});

it('halts the fleet where every shard refuses its key', async () => {
  const { fleet } = await openShards({}, { acceptKeys: [] });
  await fleet.queue.add('task', toTask(), { jobId: 'refused' });
  await expect.poll(async () => (await fleet.halt.read())?.reason).toBe('account-refused');
});

it('waits where all shards are used up, as a question does, and is woken when one has room', async () => {
  const { fleet, gemini } = await openShards({ GEMINI_RPD: '1' });
  await fleet.queue.add('task', toTask('Say that tea is hot [[turns:1]]'), { jobId: 'late' });
  await fleet.queue.add('task', toTask('Say that rum is cold [[turns:1]]'), { jobId: 'later' });
  await fleet.queue.add('task', toTask('Say that milk is white [[turns:1]]'), { jobId: 'latest' });
  await expect.poll(async () => (await fleet.counters())['waits_shards']).toBe('1');
  expect(gemini.served().calls).toBe(2);
  const read = () => Promise.all(['late', 'later', 'latest'].map((id) => fleet.queue.getJobState(id)));
  await expect.poll(async () => (await read()).toSorted()).toEqual(['completed', 'completed', 'delayed']);
  const waiting = await read();
  const id = ['late', 'later', 'latest'][waiting.indexOf('delayed')] ?? '';
  expect(await fleet.logs(id)).toMatch(/no shard has room until .* \(day\)/);
  const { redis: client, keys } = fleet.inner.db;
  await client.multi().set(keys.shardQuota(1), '1').del(keys.shardStatus(1)).exec(); // a person gives it one call more
  await fleet.until(id, 'completed');
});

it('keeps the limits of a minute with several workers and a librarian, so that the provider refuses none', async () => {
  const limits = { all: { rpm: 10, tpm: null, rpd: null }, windowMs: 4_000 };
  const env = { GEMINI_RPM: '10', GEMINI_WINDOW_MS: '4000', FLEET_HAIKU_CONCURRENCY: '8' };
  const { fleet, gemini } = await openShards(env, { limits });
  await fleet.startHaiku('http');
  const ids = Array.from({ length: 12 }, (_, i) => `t${i}`);
  for (const id of ids) await fleet.queue.add('task', toTask(), { jobId: id });
  for (const id of ids) await fleet.until(id, 'completed', 30_000);
  const counts = gemini.counts();
  expect(counts.reduce((sum, { refused }) => sum + refused, 0)).toBeLessThanOrEqual(1); // a busy machine may be late once
  expect(gemini.served().calls).toBe(24);
});

it('fails with what to do where a shard has no tier', async () => {
  const { fleet } = await openShards({ GEMINI_TIER: '' });
  await fleet.queue.add('task', toTask('Say that tea is hot [[turns:1]]'), { jobId: 'untold' });
  const { failedReason } = await fleet.until('untold', 'failed');
  expect(failedReason).toContain('GEMINI_TIER_SHARD1: expected free or paid');
});
