import { expect, test } from 'vitest';
import { POISON } from '../../support/fleet/poison.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { startKeptWorkers } from '../../support/process/kept-workers.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const INNOCENT = 8;

const redis = useRedis();

test('a job that kills its workers is set apart after a few deaths, and whoever ran beside it completes', async () => {
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    site: { 'poison.mjs': POISON, 'a.txt': 'tea\n' },
    simulator: { latencyMs: 300 },
  });
  const { simulator, queue, site: root } = fleet;

  const env = { FLEET_RUN_ALLOW: 'node' };
  const workers = await startKeptWorkers(redis, 2, { provider: simulator.url, slots: 5, workspace: root, env });

  // The other jobs are in a long call whenever a worker dies, so that only time distinguishes them from the poison job.
  const tasks = Array.from({ length: INNOCENT }, () => ({
    description: 'Describe a.txt [[turns:2]] [[latency:4000]]',
    workspace: 'site',
    files: ['a.txt'],
  }));
  await fleet.tasks.addMany(
    [...tasks.slice(0, 2), { description: 'Run `node poison.mjs`', workspace: 'site' }, ...tasks.slice(2)],
    {
      batch: 'p',
    },
  );

  await waitUntil(async () => (await queue.getJobState('p-3')) === 'failed', {
    timeoutMs: 120_000,
    what: 'the quarantine',
  });
  const job = await queue.getJob('p-3');
  expect(job?.failedReason).toMatch(/^quarantined: its worker died \d times .*\d times in tool run of turn 0$/);
  // The first death has no known place; on a slow machine the job is longer at its place, which chance explains more often.
  expect(workers.deaths()).toBeGreaterThanOrEqual(4);
  expect(workers.deaths()).toBeLessThanOrEqual(8);
  await waitUntil(async () => (await queue.getCompletedCount()) === INNOCENT, {
    timeoutMs: 60_000,
    what: 'the end of the others',
  });
  workers.stop();

  expect(await queue.getFailedCount()).toBe(1);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(INNOCENT);
  expect(await redis.redis.hget(redis.keys.counters, 'quarantined')).toBe('1');
  const books = await readBooks(redis);
  const bills = toBills(simulator.requests());
  expect(books).toMatchObject({ ledgerCalls: 2 * INNOCENT + 1, settled: bills.lastNano, reserved: 0 });
}, 240_000);
