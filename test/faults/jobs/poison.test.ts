import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** Kills the worker that runs it, also if other processes are between the two. */
const POISON = `import { readFileSync } from 'node:fs';
for (let pid = process.ppid; pid > 1; ) {
  if (readFileSync(\`/proc/\${pid}/cmdline\`, 'utf8').includes('workers/haiku')) process.kill(pid, 'SIGKILL');
  pid = Number(/\\) \\S (\\d+)/.exec(readFileSync(\`/proc/\${pid}/stat\`, 'utf8'))?.[1] ?? 0);
}`;
const INNOCENT = 8;

const redis = useRedis();

test('a job that kills its workers is set apart after three deaths, and whoever ran beside it completes', async () => {
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    site: { 'poison.mjs': POISON, 'a.txt': 'tea\n' },
    simulator: { latencyMs: 300 },
  });
  const { simulator, queue, site: root } = fleet;

  let deaths = 0;
  let isOver = false;
  const start = async (place: number): Promise<WorkerProcess> => {
    const env = { FLEET_RUN_ALLOW: 'node' };
    const id = `w${place}-${deaths}`;
    const worker = await startWorkerProcess(redis, { id, provider: simulator.url, slots: 5, workspace: root, env });
    worker.child.once('exit', (_, signal) => {
      if (isOver || signal !== 'SIGKILL') return;
      deaths += 1;
      void start(place); // as pm2 does
    });
    return worker;
  };
  redis.cleanup(() => (isOver = true));
  await start(1);
  await start(2);

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
  expect(job?.failedReason).toMatch(/^quarantined: its worker died 3 times/);
  expect(deaths).toBe(3);
  await waitUntil(async () => (await queue.getCompletedCount()) === INNOCENT, {
    timeoutMs: 60_000,
    what: 'the end of the others',
  });
  isOver = true;

  expect(await queue.getFailedCount()).toBe(1);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(INNOCENT);
  expect(await redis.redis.hget(redis.keys.counters, 'quarantined')).toBe('1');
  const books = await readBooks(redis);
  const bills = toBills(simulator.requests());
  expect(books).toMatchObject({ ledgerCalls: 2 * INNOCENT + 1, settled: bills.lastNano, reserved: 0 });
}, 240_000);
