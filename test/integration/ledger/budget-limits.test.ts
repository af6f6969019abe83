import { expect, test } from 'vitest';
import { BudgetReachedError } from '../../../src/errors.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { toOutcome } from '../../../src/jobs/outcomes/outcomes.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** Reads the budget of one scope until it is stopped. @returns the highest sum of booked and reserved */
function watchSpend(scope: string): { stop(): Promise<number> } {
  let most = 0;
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      const spend = await redis.redis.hmget(redis.keys.spend(scope), 'settled', 'reserved', 'uncertain');
      most = Math.max(
        most,
        spend.reduce((sum, part) => sum + Number(part ?? 0), 0),
      );
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await watching;
      return most;
    },
  };
}

async function isStill(fleet: SimulatedFleet): Promise<boolean> {
  return (await fleet.queue.getActiveCount()) === 0;
}

test('the day’s budget is never passed, halts the fleet, and goes on when it is raised', async () => {
  const limit = 0.12;
  const fleet = await useSimulatedFleet(redis, {
    workers: 2,
    slots: 50,
    simulator: { latencyMs: 30 },
    env: { FLEET_BUDGET_USD: String(limit) },
  });
  const watch = watchSpend(`day:${toUtcDay(new Date())}`);
  const ids = await Promise.all(Array.from({ length: 100 }, (_, i) => fleet.add(`Say ${i} [[tokens:4000]]`)));

  const halt = await waitUntil(() => fleet.halt.read(), { what: 'the halt', timeoutMs: 30_000 });
  expect(halt).toMatchObject({ reason: 'budget' });
  expect(halt?.detail).toContain("the day's budget is $0.1200");
  await waitUntil(() => isStill(fleet), { what: 'a fleet that stands still' });
  expect(await fleet.queue.getFailedCount()).toBe(0);
  const done = await fleet.queue.getCompletedCount();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(100);

  await setBudget(redis.db, 5, null);
  expect(await watch.stop()).toBeLessThanOrEqual(toNanoUsd(limit));
  await fleet.halt.resume();
  for (const id of ids) await fleet.until(id, 'completed', 30_000);
  expect(await fleet.queue.getFailedCount()).toBe(0);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 100, reserved: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
}, 60_000);

test('a batch’s own budget parks its jobs only, and raising it releases them', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 10 });
  const { db } = fleet.inner;
  const { keys } = db;
  const watch = watchSpend('batch:small');
  const tasks = Array.from({ length: 10 }, (_, i) => ({ description: `Say ${i} [[turns:1]] [[tokens:4000]]` }));
  await fleet.tasks.addMany(tasks, { batch: 'small', budgetUsd: 0.03 });
  const other = await fleet.add('Say hello');

  await fleet.until(other, 'completed');
  const parked = (): Promise<number> => redis.redis.hlen(keys.parked);
  const completed = (): Promise<number> => redis.redis.zcard(keys.indexByBatch('small'));
  await waitUntil(async () => (await parked()) + (await completed()) === 10, { what: 'every job done or parked' });
  expect(await parked()).toBeGreaterThan(0);
  expect(await fleet.halt.read()).toBeNull();
  expect(await fleet.queue.getFailedCount()).toBe(0);
  expect(await watch.stop()).toBeLessThanOrEqual(toNanoUsd(0.03));

  await setBudget(db, 1, { batch: 'small' });
  await releaseParked({ db, queues: fleet.inner.queues }, { scope: 'batch', name: 'small' });
  await waitUntil(async () => (await completed()) === 10, { what: 'the end of the batch' });
  expect(await parked()).toBe(0);
});

test('a task’s own budget holds over all its turns', async () => {
  const fleet = await useSimulatedFleet(redis, { site: { 'big.txt': `${'tea '.repeat(500)}\n`.repeat(100) } });
  const { db } = fleet.inner;
  const { keys } = db;
  const id = await fleet.add('Describe big.txt [[turns:8]]', {
    workspace: 'site',
    files: ['big.txt'],
    budget_usd: 0.02,
  });
  await fleet.until(id, 'delayed'); // the last step of parking, after mark and log line
  expect(await redis.redis.hexists(keys.parked, id)).toBe(1);
  expect(await fleet.logs(id)).toMatch(/parked: budget\. the budget of task /);
  const spent = Number(await redis.redis.hget(keys.spend(`task:${id}`), 'settled'));
  expect(spent).toBeLessThanOrEqual(toNanoUsd(0.02));
  const { calls } = fleet.simulator.served();

  await setBudget(db, 1, { task: id });
  await releaseParked({ db, queues: fleet.inner.queues }, { scope: 'task', name: id });
  await fleet.until(id, 'completed');
  expect(fleet.simulator.served().calls).toBe(8);
  expect(calls).toBeGreaterThan(0);
  expect(calls).toBeLessThan(8);
});

test('a job whose budget is raised while it is being parked is not left behind', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { db } = fleet.inner;
  const { redis: connection, keys } = db;
  const parts = {
    db,
    queue: fleet.queue,
    halt: fleet.halt,
    workerId: 'w',
    log: createLogger('test', 'silent'),
  };
  const id = await fleet.add('Say hello');
  const job = await takeJob(redis, 'tasks');
  await setBudget(db, 1, { batch: 'small' });
  const reached = new BudgetReachedError('batch', 'small', 'the budget is reached', toNanoUsd(1));

  await setBudget(db, 2, { batch: 'small' });
  await releaseParked({ db, queues: fleet.inner.queues }, { scope: 'batch', name: 'small' });
  await toOutcome(reached, job, 'token', parts);

  expect(await fleet.queue.getJobState(id)).toBe('waiting');
  expect(await connection.hlen(keys.parked)).toBe(0);
});
