import { expect, test } from 'vitest';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import type { AnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

async function open(latencyMs: number, faults: Fault[] = []) {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs, faults } });
  const { simulator } = fleet;
  return { simulator, fleet, queue: fleet.inner.queues.tasks };
}

test('a worker that is asked to leave ends and stores its calls, and hands its jobs over', async () => {
  const { simulator, fleet, queue } = await open(2_500);
  const leaving = await startWorkerProcess(redis, { id: 'leaving', provider: simulator.url, slots: 6 });
  const tasks = Array.from({ length: 10 }, (_, i) => ({ description: `Say ${i} [[turns:2]]` }));
  await fleet.tasks.addMany(tasks, { batch: 'leave' });
  await waitUntil(() => simulator.served().calls > 2, { what: 'calls under way' });

  expect(await leaving.end('SIGTERM')).toEqual({ code: 0, signal: null });
  const ended = simulator.served().calls;
  expect(ended).toBeLessThan(20);
  expect(simulator.requests().some((record) => record.clientGone)).toBe(false);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: ended, uncertainCalls: 0, reserved: 0 });
  const waiting = 10 - (await queue.getCompletedCount());
  expect(await queue.getJobCounts('waiting', 'active', 'failed')).toEqual({ waiting, active: 0, failed: 0 });
  expect(await redis.redis.exists(redis.keys.workerStatus('leaving'), redis.keys.workerTasks('leaving'))).toBe(0);

  await startWorkerProcess(redis, { id: 'staying', provider: simulator.url, slots: 10 });
  await waitUntil(async () => (await queue.getCompletedCount()) === 10, {
    timeoutMs: 30_000,
    what: 'the end of every job',
  });
  expect(simulator.served().calls).toBe(20);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 20, uncertainCalls: 0, reserved: 0 });
  expect(await redis.redis.hget(redis.keys.counters, 'recoveries')).toBeNull(); // the worker gave the job back; it did not stall
});

test('a worker that is asked to leave keeps its job for as long as its call takes', async () => {
  const { simulator, fleet, queue } = await open(100_000);
  const leaving = await startWorkerProcess(redis, { id: 'leaving', provider: simulator.url, slots: 1 });
  const { id } = await fleet.tasks.add({ description: 'Say hello [[turns:1]]' });
  await waitUntil(() => simulator.requests().length === 1, { what: 'the call' });
  leaving.child.kill('SIGTERM');
  await waitUntil(() => leaving.output().includes('closing'), { what: 'the signal' });

  const readLock = (): Promise<number> => redis.redis.pttl(redis.keys.jobLock('tasks', id));
  for (const round of [1, 2, 3]) {
    await waitUntil(async () => (await readLock()) < 8_500, { what: `an older lock, round ${round}` });
    await waitUntil(async () => (await readLock()) > 9_000, { what: `a renewed lock, round ${round}` });
  }
  expect(await queue.getJobState(id)).toBe('active');
});

/** Starts a worker, waits for the call of a task, and signals the worker twice. */
async function hurry(
  { simulator, fleet, queue }: Awaited<ReturnType<typeof open>>,
  isReady: (simulator: AnthropicSimulator) => boolean,
) {
  const hurried = await startWorkerProcess(redis, { id: 'hurried', provider: simulator.url, slots: 2 });
  const { id } = await fleet.tasks.add({ description: 'Say hello [[turns:1]]' });
  await waitUntil(() => isReady(simulator), { what: 'the call' });
  hurried.child.kill('SIGTERM');
  await waitUntil(() => hurried.output().includes('closing'), { what: 'the first signal' });
  hurried.child.kill('SIGTERM');
  await waitUntil(() => hurried.hasEnded(), { timeoutMs: 8_000, what: 'the end of the process' });
  expect(hurried.child.exitCode).toBe(0);
  expect(await queue.getJobState(id)).toBe('waiting'); // given back, and not found as stalled later
  return { simulator, fleet, queue, id, log: await fleet.logs(id) };
}

test('a second signal does not wait for a long call, and loses only its answer', async () => {
  const slow = await open(100_000);
  const { simulator, queue, id, log } = await hurry(slow, ({ requests }) => requests().length === 1);
  expect(log).toMatch(
    /back to waiting: the process left before the running call had ended: all of its reservation is uncertain/,
  );
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 0, uncertainCalls: 1, reserved: 0 });

  simulator.setLatency(20);
  await startWorkerProcess(redis, { id: 'next', provider: simulator.url });
  await waitUntil(() => queue.getJobState(id).then((state) => state === 'completed'), {
    timeoutMs: 30_000,
    what: 'the end of the job',
  });
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, uncertainCalls: 1, reserved: 0 });
  expect(await redis.redis.hget(redis.keys.counters, 'recoveries')).toBeNull();
});

test('a second signal books of a streamed reply what the provider had reported', async () => {
  const stalled = await open(5, [{ kind: 'stall' }]);
  const { log, simulator } = await hurry(stalled, ({ requests }) => requests()[0]?.status === 200);
  expect(log).toMatch(/had ended: \$0\.\d{6} of it is booked, the rest of its reservation is uncertain/);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 1, uncertainCalls: 1, reserved: 0 });
  expect(books.settled).toBeGreaterThan(0);
  expect(books.settled).toBeLessThanOrEqual(simulator.served().billNanoUsd);
});
