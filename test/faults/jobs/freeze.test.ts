import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('a worker that was frozen longer than its lock lives does nothing more for its job', async () => {
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    site: { 'a.txt': 'tea\n' },
    simulator: { latencyMs: 1_000 },
  });
  const { simulator, queue, site: root } = fleet;
  const common = { provider: simulator.url, workspace: root };
  const frozen = await startWorkerProcess(redis, { ...common, id: 'frozen' });
  const task = await fleet.tasks.add({ description: 'Create file out.txt with text "tea"', workspace: 'site' });
  const turnsOf = (id: string): number[] =>
    simulator
      .requests()
      .filter((record) => record.user === id && record.served)
      .map((record) => record.turn);

  await waitUntil(() => turnsOf(task.id).length === 1, { what: 'its first call' });
  frozen.child.kill('SIGSTOP');
  const other = await startWorkerProcess(redis, { ...common, id: 'other' });
  await waitUntil(() => queue.getJobState(task.id).then((state) => state === 'completed'), {
    timeoutMs: 30_000,
    what: 'the end of the job elsewhere',
  });
  await other.end('SIGTERM');
  const finding = await redis.redis.get(redis.keys.finding(task.findingId));
  const written = statSync(join(root, 'out.txt')).mtimeMs;
  const calls = turnsOf(task.id);

  frozen.child.kill('SIGCONT');
  const next = await fleet.tasks.add({ description: 'Say hello [[turns:1]]' }); // only that worker can run this task
  await waitUntil(() => queue.getJobState(next.id).then((state) => state === 'completed'), { what: 'the next job' });

  expect(frozen.hasEnded()).toBe(false);
  expect(turnsOf(task.id)).toEqual(calls);
  expect(calls.filter((turn) => turn === 0)).toHaveLength(2); // that of the frozen worker, and that of the other
  expect(new Set(calls).size).toBe(calls.length - 1);
  expect(statSync(join(root, 'out.txt')).mtimeMs).toBe(written);
  expect(readFileSync(join(root, 'out.txt'), 'utf8')).toBe('tea\n');
  expect(await redis.redis.get(redis.keys.finding(task.findingId))).toBe(finding);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(2);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ reserved: 0, openReservations: 0 });
  expect(books.ledgerCalls + books.uncertainCalls).toBe(simulator.served().calls); // its reply came too late, or was booked
});

test('a fleet of one that stands still goes on with its jobs, and pays nothing twice', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: 1_000 } });
  const { simulator, queue } = fleet;
  const only = await startWorkerProcess(redis, { provider: simulator.url, id: 'only', slots: 4 });
  const tasks = Array.from({ length: 4 }, (_, i) => ({ description: `Say ${i} [[turns:3]]` }));
  await fleet.tasks.addMany(tasks, { batch: 'still' });
  await waitUntil(() => simulator.served().calls > 1, { what: 'calls under way' });

  only.child.kill('SIGSTOP'); // as when a laptop sleeps
  const locks = (): Promise<number> =>
    redis.redis.exists(...[1, 2, 3, 4].map((n) => redis.keys.jobLock('tasks', `still-${n}`)));
  await waitUntil(async () => (await locks()) === 0, { what: 'the end of every lock' });
  only.child.kill('SIGCONT');

  await waitUntil(async () => (await queue.getCompletedCount()) === 4, {
    timeoutMs: 30_000,
    what: 'the end of every job',
  });
  expect(await queue.getFailedCount()).toBe(0);
  const books = await readBooks(redis);
  expect(books.ledgerCalls + books.uncertainCalls).toBe(simulator.served().calls);
  expect(books).toMatchObject({ ledgerCalls: 12, uncertainCalls: 0, reserved: 0 });
  expect(await redis.redis.xlen(redis.keys.events)).toBe(4);
});
