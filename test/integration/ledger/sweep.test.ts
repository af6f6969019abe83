import { expect, test } from 'vitest';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import { sweepReservations, toLostAfterMs } from '../../../src/ledger/sweep.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TaskIdentity } from '../../../src/ledger/types.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const HOUR_MS = 3600_000;

/** @param afterMs as if it were so much later */
function sweep(fleet: SimulatedFleet, olderThanMs: number, afterMs = 0): Promise<number> {
  return sweepReservations(fleet.inner.db, { olderThanMs: olderThanMs - afterMs });
}

/** Ends the call of an hour, so that the worker can close. */
async function hangUp(fleet: SimulatedFleet, id: string): Promise<void> {
  await cancelJobs(fleet.inner.db, fleet.queue, [id]);
}

test('a call whose job never runs again becomes uncertain once no call can last that long', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { latencyMs: HOUR_MS } });
  const id = await fleet.add('Say hello');
  await waitUntil(() => fleet.simulator.requests().length === 1, { what: 'the call' });
  const before = await readBooks(redis);
  expect(before.reserved).toBeGreaterThan(0);

  expect(await sweep(fleet, 10 * 60_000)).toBe(0); // the call may still end
  expect(await sweep(fleet, 10 * 60_000, HOUR_MS)).toBe(1);
  expect(await sweep(fleet, 10 * 60_000, HOUR_MS)).toBe(0);

  const books = await readBooks(redis);
  expect(books).toMatchObject({
    reserved: 0,
    uncertain: before.reserved,
    uncertainCalls: 1,
    costHaiku: 0,
    ledgerCalls: 0,
  });
  expect(await redis.redis.hgetall(redis.keys.turns(id))).toMatchObject({ reservation: '' });
  expect(await fleet.counters()).toMatchObject({ swept_calls: '1' });
  await hangUp(fleet, id);
});

test('a reply that comes after all takes its call out of the uncertain ones again', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { latencyMs: 1_000 } });
  const id = await fleet.add('Say hello');
  await waitUntil(() => fleet.simulator.requests().length === 1, { what: 'the call' });
  expect(await sweep(fleet, 0, HOUR_MS)).toBe(1);
  await fleet.until(id, 'completed');
  const books = await readBooks(redis);
  expect(books).toMatchObject({ reserved: 0, uncertain: 0, uncertainCalls: 0, ledgerCalls: 1 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
  expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(0);
});

test('an uncertain call stays listed until it is settled', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { latencyMs: HOUR_MS } });
  const id = await fleet.add('Say hello');
  await waitUntil(() => fleet.simulator.requests().length === 1, { what: 'the call' });
  await sweep(fleet, 0, HOUR_MS);
  await sweep(fleet, 0, 30 * 24 * HOUR_MS);
  expect(await readUncertain(redis.db)).toMatchObject([{ jobId: id, model: 'claude-haiku-5-5' }]);
  await hangUp(fleet, id);
});

test('the stored turns of a job that is gone do not stay for ever', async () => {
  const { keys } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  await redis.redis.hset(keys.turns('single-1'), 'reservation', 'single-1#0:0#w#1', 'epoch', '0');
  await redis.redis.hset(keys.reservations, 'single-1#0:0#w#1', `500|1|${keys.spend('day:2026-11-20')}`);
  expect(await sweep(fleet, 1_000)).toBe(1);
  expect(await redis.redis.ttl(keys.turns('single-1'))).toBeGreaterThan(0);
});

test('no call is taken for lost before ten minutes after its longest time', () => {
  expect(toLostAfterMs(1_000)).toBe(10 * 60_000 + 1_000);
  expect(toLostAfterMs(900_000)).toBe(25 * 60_000);
  expect(toLostAfterMs(3_600_000)).toBe(70 * 60_000);
});

test('keeps the stored turns of a mission that still waits, and lets go of those of a job that was removed', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { db, queues } = fleet.inner;
  const { redis: connection, keys } = db;
  const ledger = createTurnLedger({ db, workerId: 'w', queue: 'missions' });
  await queues.missions.add('mission', { goal: 'learn' }, { jobId: 'mission-a', delay: HOUR_MS });
  for (const jobId of ['mission-a', 'mission-gone']) {
    const begun = await ledger.begin(toIdentity(jobId), { turn: 'plan', worstNanoUsd: 1, first: true });
    expect(begun.kind).toBe('reserved');
  }
  expect(await sweep(fleet, 10 * 60_000, HOUR_MS)).toBe(2);
  expect(await connection.ttl(keys.turns('mission-a'))).toBe(-1);
  expect(await connection.ttl(keys.turns('mission-gone'))).toBeGreaterThan(0);
});

function toIdentity(jobId: string): TaskIdentity {
  return {
    jobId,
    token: '',
    attempt: 0,
    digest: 'd',
    findingId: `finding_${jobId}`,
    session: 's',
    batch: null,
    missionId: jobId,
    budgetNanoUsd: null,
    model: 'claude-sonnet-5-5',
    costVendor: 'sonnet',
  };
}

test('a lost call that can cost nothing is closed, also where an older version kept it', async () => {
  const { keys } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const day = keys.spend('day:2026-11-20');
  await redis.redis.hset(day, { uncertain: 700 });
  await redis.redis.hset(keys.reservations, 'job-1#0:0#w#1.a', `0|1|${day}`);
  await redis.redis.hset(keys.uncertain, { 'job-2#0:0#w#1.a': `0|1|${day}`, 'job-3#0:0#w#1.a': `700|1|${day}` });
  await redis.redis.hset(keys.counters, 'uncertain_calls', 2);
  await sweep(fleet, 1_000);
  expect(await readUncertain(redis.db)).toMatchObject([{ jobId: 'job-3', nanoUsd: 700 }]);
  expect(await readBooks(redis)).toMatchObject({ openReservations: 0, uncertainCalls: 1 });
});
