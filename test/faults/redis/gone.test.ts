import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis({ appendOnly: true });
/** Longer than the life of a lock. */
const AWAY_MS = 12_000;

test('workers wait for a Redis that is killed, keep what they are doing, and pay nothing twice', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: 1_500 } });
  const { simulator, queue } = fleet;
  const workers = [];
  for (const id of ['w1', 'w2'])
    workers.push(await startWorkerProcess(redis, { id, provider: simulator.url, slots: 5 }));
  const tasks = Array.from({ length: 20 }, (_, i) => ({ description: `Say ${i} [[turns:3]]` }));
  await fleet.tasks.addMany(tasks, { batch: 'gone' });
  const served = (): number => simulator.served().calls;

  await waitUntil(() => served() >= 5, { what: 'calls under way' });
  await redis.kill();
  await expect(fleet.tasks.add({ description: 'Meanwhile' })).rejects.toThrow(/Redis is not reachable at .*; start it/);
  await redis.start();
  await waitUntil(() => served() >= 15, { what: 'more calls' });
  await redis.kill();
  await sleep(AWAY_MS); // the fault itself
  await redis.start();

  await waitUntil(async () => (await queue.getCompletedCount().catch(() => 0)) === 20, {
    timeoutMs: 60_000,
    what: 'the end of every job',
  });
  expect(workers.map((worker) => worker.hasEnded())).toEqual([false, false]);
  expect(served()).toBe(60);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 60, reserved: 0, openReservations: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
  expect(books.costHaiku).toBe(books.settled);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(20);
});

test('a worker that is asked to leave while Redis is gone waits for it with a paid reply, and leaves without one', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: 4_000 } });
  const { simulator, queue } = fleet;
  const busy = await startWorkerProcess(redis, { id: 'busy', provider: simulator.url });
  const task = await fleet.tasks.add({ description: 'Say hello [[turns:2]]' });
  await waitUntil(() => simulator.served().calls === 1, { what: 'the call' });
  const idle = await startWorkerProcess(redis, { id: 'idle', provider: simulator.url });
  await redis.kill();

  busy.child.kill('SIGTERM');
  expect(await idle.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(busy.hasEnded()).toBe(false);
  await redis.start();
  await waitUntil(() => busy.hasEnded(), { timeoutMs: 30_000, what: 'the end of the busy worker' });
  expect(busy.child.exitCode).toBe(0);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, reserved: 0, uncertainCalls: 0 });
  expect(await queue.getJobState(task.id)).toBe('waiting');
});
