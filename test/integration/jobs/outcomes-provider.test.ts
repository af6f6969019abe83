import { expect, test } from 'vitest';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';

test('a rate limit holds back every process, in the slot and without money, and costs no attempt', async () => {
  const faults: Fault[] = [{ kind: 'rate-limit', retryAfter: 2, times: 1 }];
  const fleet = await useSimulatedFleet(redis, { workers: 2, simulator: { faults } });
  const first = await fleet.add('Say one');
  await waitUntil(async () => (await fleet.counters())['waits_rate_limit'] === '1', { what: 'the refusal' });
  expect((await readBooks(redis)).reserved).toBe(0);
  const ids = [first, ...(await Promise.all(['two', 'three', 'four', 'five'].map((word) => fleet.add(`Say ${word}`))))];

  for (const id of ids) expect((await fleet.until(id, 'completed')).attemptsMade).toBeLessThanOrEqual(1);

  const [refused, ...later] = fleet.simulator.requests();
  expect(refused?.status).toBe(429);
  expect(later.map((record) => record.status)).toEqual(ids.map(() => 200));
  const allowedAt = (refused?.finishedAt ?? 0) + 1_950; // the provider's clock and Redis' clock may differ
  expect(later.filter((record) => record.startedAt < allowedAt)).toEqual([]);
  expect(Number((await fleet.counters())['waits_rate_limit'])).toBe(1);
  expect(await fleet.logs(first)).toMatch(/waits: claude-haiku-5-5: 429/);
  expect((await readBooks(redis)).uncertainCalls).toBe(0);
});

test('a storm of rate limits fails nothing', async () => {
  const simulator = { faults: [{ kind: 'rate-limit' as const, retryAfter: 1, times: 4 }] };
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 10, simulator });
  const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => fleet.add(`Say ${i}`)));

  for (const id of ids) await fleet.until(id, 'completed', 60_000);

  expect(await fleet.queue.getFailedCount()).toBe(0);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 20, reserved: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
}, 90_000);

test('ten failures in a row stop the model, and one probe reopens it', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 12, simulator: { faults: [{ kind: 'overloaded' }] } });
  const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => fleet.add(`Say ${i}`)));
  const { keys } = redis;
  await waitUntil(async () => (await redis.redis.exists(keys.cooldown(MODEL))) === 1, { what: 'the outage' });
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'every job waits' });
  expect(await fleet.queue.getFailedCount()).toBe(0);
  expect(fleet.simulator.requests().every((record) => record.status === 529)).toBe(true);

  // A minute later: the probe finds the provider still down, and the model stays stopped.
  const before = fleet.simulator.requests().length;
  await redis.redis.del(keys.cooldown(MODEL), keys.queueKey('tasks', 'limiter'));
  await waitUntil(() => fleet.simulator.requests().length > before, { what: 'a probe' });
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'every job waits' });
  expect(fleet.simulator.requests()).toHaveLength(before + 1);
  expect(await redis.redis.exists(keys.cooldown(MODEL))).toBe(1);

  fleet.simulator.setFaults([]);
  await redis.redis.del(keys.cooldown(MODEL), keys.queueKey('tasks', 'limiter'));
  // A job that asks during the probe waits its minute again: promote jobs as long as there are any.
  const allDone = async (): Promise<boolean> => {
    for (const job of await fleet.queue.getDelayed()) await job.promote().catch(() => undefined);
    return (await fleet.queue.getCompletedCount()) === ids.length;
  };
  await waitUntil(allDone, { timeoutMs: 60_000, what: 'every job is completed' });
  expect(await redis.redis.exists(keys.outage(MODEL))).toBe(0);
  expect((await readBooks(redis)).uncertainCalls).toBe(0);
}, 90_000);

const REFUSALS: [Fault['kind'], RegExp][] = [
  ['authentication', /401 .*invalid x-api-key/],
  ['billing', /402 .*credit balance is too low/],
  ['permission', /403 .*does not have permission/],
  ['spend-limit', /429 .*enforced spend limit/],
  ['usage-limit', /400 .*reached your specified API usage limits/],
  ['usage-limits', /429 .*reached your API usage limits/],
  ['organization-disabled', /400 .*organization has been disabled/],
];

test.each(REFUSALS)(
  '%s halts the fleet with the provider’s words, fails nothing, and is lifted by hand',
  async (kind, words) => {
    const fleet = await useSimulatedFleet(redis, { workers: 2, simulator: { faults: [{ kind }] } });
    const ids = await Promise.all(Array.from({ length: 10 }, (_, i) => fleet.add(`Say ${i}`)));
    const halt = await waitUntil(() => fleet.halt.read(), { what: 'the halt' });
    expect(halt).toMatchObject({ reason: 'account-refused' });
    expect(halt?.detail).toMatch(words);
    await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'every job waits' });
    expect(await fleet.queue.getJobCounts('waiting', 'failed', 'completed')).toEqual({
      waiting: 10,
      failed: 0,
      completed: 0,
    });
    const calls = fleet.simulator.requests().length;

    fleet.simulator.setFaults([]);
    await fleet.queue.resume(); // what Bull Board's button does
    await waitUntil(async () => (await fleet.queue.isPaused()) && (await fleet.queue.getActiveCount()) === 0, {
      what: 'the pause again',
    });
    expect(fleet.simulator.requests()).toHaveLength(calls);

    await fleet.halt.resume();
    for (const id of ids) await fleet.until(id, 'completed');
    expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 10, reserved: 0, uncertainCalls: 0 });
  },
);

test('a body that never comes ends at the deadline, is booked as uncertain, and the job goes on', async () => {
  const simulator = { faults: [{ kind: 'stalled-body' as const, times: 1 }] };
  const fleet = await useSimulatedFleet(redis, { env: { FLEET_CALL_TIMEOUT_MS: '1000' }, simulator });
  const id = await fleet.add('Say hello');
  await fleet.until(id, 'completed', 20_000);
  expect(await fleet.logs(id)).toMatch(/waits \d s: claude-haiku-5-5: no complete reply within 1000 ms/);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 1, uncertainCalls: 1, reserved: 0 });
  expect(books.uncertain).toBeGreaterThan(0);
  expect(books.settled).toBe(books.costHaiku);
  expect(fleet.simulator.served().calls).toBe(2);
});

test.each([
  ['reset-before', 1],
  ['reset-after', 1],
  ['empty-object', 1], // a stream without an event
  ['broken-json', 2], // what the stream had reported is booked as a call
] as const)('%s may have been billed: uncertain, and asked again', async (kind, ledgerCalls) => {
  const fleet = await useSimulatedFleet(redis, { simulator: { faults: [{ kind, times: 1 }] } });
  await fleet.until(await fleet.add('Say hello'), 'completed', 20_000);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls, uncertainCalls: 1, reserved: 0 });
});

test('a provider that cannot be reached is waited for, and nothing is booked', async () => {
  const fleet = await useSimulatedFleet(redis, {
    env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${await findFreePort()}` },
  });
  const id = await fleet.add('Say hello');
  await fleet.until(id, 'delayed');
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 0, uncertainCalls: 0, reserved: 0, settled: 0 });
  expect(await fleet.counters()).toMatchObject({ waits_unavailable: '1' });
});

test('a provider that is down for two hours fails the job, and a retry goes on from what was stored', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { faults: [{ kind: 'overloaded', when: { turn: 1 } }] } });
  const id = await fleet.add('Say hello [[turns:3]]');
  await fleet.until(id, 'delayed');
  await redis.redis.hset(redis.keys.turns(id), 'unavailable_since', Date.now() - 3 * 3600_000);
  await (await fleet.bullJob(id)).promote();
  const failed = await fleet.until(id, 'failed');
  expect(failed.failedReason).toMatch(/^provider-unavailable: /);

  fleet.simulator.setFaults([]);
  await failed.retry(); // Bull Board's button
  await fleet.until(id, 'completed');
  const turns = fleet.simulator
    .requests()
    .filter((record) => record.served)
    .map((record) => record.turn);
  expect(turns).toEqual([0, 1, 2]);
  const [finding] = await fleet.findings.list();
  expect(finding).toMatchObject({ job_id: id, recovered: 1 });
  expect(await redis.redis.xlen(redis.keys.events)).toBe(1);
});

test('being served in between starts the two hours anew', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { faults: [{ kind: 'overloaded', times: 1 }] } });
  const id = await fleet.add('Say hello [[turns:3]]');
  await fleet.until(id, 'delayed');
  await redis.redis.hset(redis.keys.turns(id), 'unavailable_since', Date.now() - 3 * 3600_000);
  fleet.simulator.setFaults([{ kind: 'overloaded', when: { turn: 1 }, times: 1 }]);
  await (await fleet.bullJob(id)).promote();
  await waitUntil(() => fleet.simulator.requests().length === 3, { what: 'the second failure' });
  await fleet.until(id, 'delayed');
  await (await fleet.bullJob(id)).promote();
  await fleet.until(id, 'completed');
});

test('a begun task that had to wait comes before fresh ones, though BullMQ puts it behind them', async () => {
  const faults: Fault[] = [{ kind: 'overloaded', when: { turn: 1 }, times: 1 }];
  const fleet = await useSimulatedFleet(redis, { slots: 1, simulator: { faults, latencyMs: 40 } });
  const begun = await fleet.add('Say hello [[turns:3]]');
  await fleet.until(begun, 'delayed');
  await fleet.tasks.addMany(Array.from({ length: 1_000 }, (_, i) => ({ description: `Say ${i} [[turns:1]]` })));
  await fleet.until(begun, 'completed');

  expect(await fleet.queue.getWaitingCount()).toBeGreaterThan(100);
  expect(await redis.redis.exists(redis.keys.begunDelayed)).toBe(0);
  await fleet.queue.drain();
});
