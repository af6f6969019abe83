import { expect, test } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

// A server without an append-only file: after `SAVE` and a kill it is back with the data of that moment.
const redis = useRedis();
const LATENCY_MS = 1_500;

/** Ends the server, and starts it with what it had saved: everything since then is forgotten, although it was answered. */
async function forget(): Promise<void> {
  await redis.kill();
  await redis.start();
}

test('a finding that Redis has forgotten is stored again, and its call is booked and not paid again', async () => {
  const { redis: client, keys } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: LATENCY_MS } });
  const { simulator, queue } = fleet;
  await startWorkerProcess(redis, { id: 'w1', provider: simulator.url });
  const ids = await Promise.all([1, 2, 3].map((n) => fleet.add(`Say ${n}`)));
  await waitUntil(() => simulator.requests().length === 3, { what: 'the calls' });
  await client.save();
  await waitUntil(async () => (await queue.getCompletedCount()) === 3, {
    timeoutMs: 20_000,
    what: 'the end of the tasks',
  });
  await forget();

  await waitUntil(async () => (await queue.getCompletedCount().catch(() => 0)) === 3, {
    timeoutMs: 30_000,
    what: 'their end, again',
  });
  expect(await client.exists(...ids.map((id) => keys.finding(toFindingId(id))))).toBe(3);
  expect(simulator.served().calls).toBe(3);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 3, openReservations: 0, reserved: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
  expect(Number(await client.hget(keys.counters, 'findings_stored_again'))).toBeGreaterThan(0);
});

test('a job whose end is sent again to a Redis that forgot its finding has a finding', async () => {
  const { redis: client, keys } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: LATENCY_MS } });
  const { simulator, queue } = fleet;
  await startWorkerProcess(redis, { id: 'w1', provider: simulator.url });
  const id = await fleet.add('Say hello');
  await waitUntil(() => simulator.requests().length === 1, { what: 'the call' });
  const token = await client.get(keys.jobLock('tasks', id));
  await client.save();
  await waitUntil(async () => (await queue.getCompletedCount()) === 1, {
    timeoutMs: 20_000,
    what: 'the end of the task',
  });
  await forget();
  const again = async (): Promise<boolean> => {
    const job = await queue.getJob(id);
    await job?.moveToCompleted({ findingId: toFindingId(id), costNanoUsd: 0 }, token ?? '', false); // as the client sends it again
    return job !== undefined;
  };
  await waitUntil(() => again().catch((error: unknown) => /not held|lock|state/i.test(String(error))), {
    what: 'the end, sent again',
  });

  await waitUntil(async () => (await client.exists(keys.finding(toFindingId(id)))) === 1, {
    timeoutMs: 20_000,
    what: 'the finding',
  });
  expect(await queue.getJobState(id)).toBe('completed');
  expect(simulator.served().calls).toBe(1);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, openReservations: 0, reserved: 0 });
});

test('a question whose answer Redis has forgotten has its answer', async () => {
  const { redis: client } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 1, simulator: { latencyMs: 5 } });
  await fleet.until(await fleet.add('Say tea'), 'completed');
  await startWorkerProcess(redis, { id: 'l1', kind: 'librarian', provider: fleet.simulator.url });
  const { queryId } = await fleet.ask('What is known of tea?');
  await client.save();
  await waitUntil(async () => (await fleet.findings.get(`archive_${queryId}`)) !== null, {
    timeoutMs: 20_000,
    what: 'the answer',
  });
  await forget();
  await waitUntil(async () => (await fleet.findings.get(`archive_${queryId}`).catch(() => null)) !== null, {
    timeoutMs: 30_000,
    what: 'the answer, again',
  });
});

test('a mission whose answer Redis has forgotten has its answer, and no call is paid again', async () => {
  const { redis: client } = redis;
  const fleet = await useSimulatedFleet(redis, { workers: 1, simulator: { latencyMs: LATENCY_MS } });
  const { simulator } = fleet;
  await startWorkerProcess(redis, { id: 'c1', kind: 'coordinator', provider: simulator.url });
  await fleet.missions.add({ goal: 'Say that all is done. [[tasks:1]]' }, { missionId: 'm' });
  const ofMission = (): number => simulator.requests().filter(({ user }) => user === 'm').length;
  await waitUntil(() => ofMission() === 2, { timeoutMs: 30_000, what: 'the call for the answer' });
  await client.save();
  await waitUntil(async () => (await readMission(redis.db, 'm'))?.state === 'done', {
    timeoutMs: 20_000,
    what: 'the end of the mission',
  });
  const { calls } = simulator.served();
  await forget();

  await waitUntil(async () => (await readMission(redis.db, 'm').catch(() => null))?.state === 'done', {
    timeoutMs: 30_000,
    what: 'the end of the mission, again',
  });
  expect(await fleet.findings.count()).toBe(2);
  expect(simulator.served().calls).toBe(calls);
  // The reply was stored apart from the answer: where both are forgotten, its cost is uncertain, and counted as such.
  const books = await readBooks(redis);
  expect(books).toMatchObject({ openReservations: 0, reserved: 0 });
  expect(books.ledgerCalls + books.uncertainCalls).toBe(calls);
});
