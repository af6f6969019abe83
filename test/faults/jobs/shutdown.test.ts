import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

async function open(latencyMs: number) {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs } });
  const { simulator } = fleet;
  return { simulator, fleet, queue: fleet.inner.queues.tasks };
}

test('a worker that is asked to leave ends and stores its calls, and hands its jobs over', async () => {
  const { simulator, fleet, queue } = await open(2_500);
  const leaving = await startWorkerProcess(redis, { id: 'leaving', provider: simulator.url, slots: 6 });
  const tasks = Array.from({ length: 10 }, (_, i) => ({ description: `Say ${i} [[turns:2]]` }));
  await fleet.tasks.addMany(tasks, { batch: 'leave' });
  await waitUntil(() => simulator.served().calls === 6, { what: 'six calls' });

  expect(await leaving.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(simulator.served().calls).toBe(6);
  expect(simulator.requests().some((record) => record.clientGone)).toBe(false);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 6, uncertainCalls: 0, reserved: 0 });
  expect(await queue.getJobCounts('waiting', 'active', 'failed')).toEqual({ waiting: 10, active: 0, failed: 0 });
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

test('a second signal does not wait for a long call, and loses only its answer', async () => {
  const { simulator, fleet, queue } = await open(100_000);
  const hurried = await startWorkerProcess(redis, { id: 'hurried', provider: simulator.url, slots: 2 });
  const task = await fleet.tasks.add({ description: 'Say hello [[turns:1]]' });
  await waitUntil(() => simulator.served().calls === 1, { what: 'the call' });

  hurried.child.kill('SIGTERM');
  await waitUntil(() => hurried.output().includes('closing'), { what: 'the first signal' });
  hurried.child.kill('SIGTERM');
  await waitUntil(() => hurried.hasEnded(), { timeoutMs: 8_000, what: 'the end of the process' });
  expect(hurried.child.exitCode).toBe(1);

  simulator.setLatency(20);
  await startWorkerProcess(redis, { id: 'next', provider: simulator.url });
  await waitUntil(() => queue.getJobState(task.id).then((state) => state === 'completed'), {
    timeoutMs: 30_000,
    what: 'the end of the job',
  });
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, uncertainCalls: 1, reserved: 0 });
});
