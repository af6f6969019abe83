import { expect, test } from 'vitest';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import { noteWait } from '../../../src/jobs/wake/note-wait.ts';
import { createOpenings } from '../../../src/jobs/wake/openings.ts';
import { wakeDelayed } from '../../../src/jobs/wake/waker.ts';
import { toReasonName } from '../../../src/jobs/wake/reason.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';
const HOUR_MS = 3600_000;

/** Starts of all jobs: each start that is refused costs a line in a log, and a slot. */
async function countStarts(
  ids: readonly string[],
  fleet: { bullJob(id: string): Promise<{ attemptsStarted: number }> },
) {
  const jobs = await Promise.all(ids.map((id) => fleet.bullJob(id)));
  return jobs.reduce((sum, { attemptsStarted }) => sum + attemptsStarted, 0);
}

test('jobs that wait for money which calls under way hold start as soon as those end, and few ask in vain', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 10, simulator: { latencyMs: 100 } });
  const tasks = Array.from({ length: 40 }, (_, i) => ({ description: `Say ${i} [[turns:1]] [[tokens:20]]` }));
  // Room for a few worst cases at once, and for far more than 40 real costs.
  const { ids } = await fleet.tasks.addMany(tasks, { batch: 'tight', budgetUsd: 0.12 });

  await waitUntil(async () => Number((await fleet.counters())['waits_budget'] ?? 0) > 0, { what: 'a wait for money' });
  const reason = { kind: 'money', scope: 'batch', name: 'tight' };
  const state = await waitUntil(
    async () => {
      const batch = await fleet.batch('tight');
      return batch.waits.length > 0 ? batch : null;
    },
    { what: 'its reason' },
  );
  expect(state?.waits).toMatchObject([{ reason, count: expect.any(Number), budget: { limit: 120_000_000 } }]);
  await waitUntil(async () => (await fleet.queue.getCompletedCount()) === 40, { timeoutMs: 30_000, what: 'all done' });

  expect(await fleet.queue.getFailedCount()).toBe(0);
  const spent = await redis.redis.hget(redis.keys.spend('batch:tight'), 'settled');
  expect(Number(spent)).toBeLessThan(toNanoUsd(0.12));
  expect(await countStarts(ids, fleet)).toBeLessThan(3 * 40);
}, 60_000);

test('jobs of a model that cools for an hour start once the cool-down is gone, in order of their time', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 4 });
  await redis.redis.set(redis.keys.cooldown(MODEL), 'rate-limit', 'PX', HOUR_MS);
  // Another model is free, so that the queue itself does not stop.
  await redis.redis.hset(redis.keys.modelsInUse, 'another-model', redis.db.clock.now());
  const ids = await Promise.all(['one', 'two', 'three'].map((word) => fleet.add(`Say ${word}`)));
  for (const id of ids) await fleet.until(id, 'delayed');
  expect(await redis.redis.zcard(redis.keys.waitsFor(toReasonName({ kind: 'model', model: MODEL })))).toBe(3);

  await redis.redis.del(redis.keys.cooldown(MODEL));
  for (const id of ids) await fleet.until(id, 'completed', 10_000);
}, 40_000);

test('while all models cool, no slot takes a task again and again', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 5 });
  await redis.redis.set(redis.keys.cooldown(MODEL), 'rate-limit', 'PX', HOUR_MS);
  await redis.redis.hset(redis.keys.modelsInUse, MODEL, redis.db.clock.now());
  const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => fleet.add(`Say ${i}`)));
  await waitUntil(async () => Number((await fleet.counters())['waits_cooling'] ?? 0) > 0, { what: 'a refusal' });
  await new Promise((resolve) => setTimeout(resolve, 5_000)); // the worker looks every two seconds
  expect(await countStarts(ids, fleet)).toBeLessThanOrEqual(10);

  await redis.redis.del(redis.keys.cooldown(MODEL));
  for (const id of ids) await fleet.until(id, 'completed', 15_000);
}, 40_000);

test('after an outage one job is woken as the probe, and the others when it was served', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { db, queues } = fleet.inner;
  const openings = createOpenings({ db, queues });
  const reason = { kind: 'model', model: MODEL } as const;
  for (const id of ['a', 'b', 'c']) {
    await queues.tasks.add('task', {}, { jobId: id, delay: HOUR_MS });
    await noteWait(db, { queue: 'tasks', jobId: id, worstNanoUsd: 0 }, reason, db.clock.now() + HOUR_MS);
  }
  await db.redis.set(db.keys.outage(MODEL), 10);
  await db.redis.set(db.keys.cooldown(MODEL), 'probe', 'PX', HOUR_MS);
  await wakeDelayed({ db, queues }, openings);
  expect(await queues.tasks.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 0, delayed: 3 });

  await db.redis.del(db.keys.cooldown(MODEL));
  await wakeDelayed({ db, queues }, openings);
  expect(await queues.tasks.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 1, delayed: 2 });

  await db.redis.del(db.keys.outage(MODEL));
  await wakeDelayed({ db, queues }, openings);
  expect(await queues.tasks.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 3, delayed: 0 });
  expect(await db.redis.zcard(db.keys.waitsFor(toReasonName(reason)))).toBe(0);
});

test('a raised budget of the day wakes the jobs that its room is enough for, the first ones first', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { db, queues } = fleet.inner;
  const openings = createOpenings({ db, queues });
  await db.redis.hset(db.keys.budget, 'day', 100);
  await db.redis.hset(
    db.keys.spend(`day:${db.clock.date().toISOString().slice(0, 10)}`),
    'settled',
    20,
    'reserved',
    80,
  );
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    await queues.tasks.add('task', {}, { jobId: id, delay: HOUR_MS });
    const job = { queue: 'tasks', jobId: id, worstNanoUsd: 40 };
    await noteWait(db, job, { kind: 'money', scope: 'day', name: '' }, db.clock.now() + HOUR_MS + i);
  }
  expect([...(await wakeDelayed({ db, queues }, openings))]).toEqual(['money']);
  expect(await queues.tasks.getWaitingCount()).toBe(0);

  await db.redis.hset(db.keys.budget, 'day', 190);
  await wakeDelayed({ db, queues }, openings);
  expect(new Set((await queues.tasks.getWaiting()).map(({ id }) => id))).toEqual(new Set(['a', 'b']));
  await wakeDelayed({ db, queues }, openings); // those that are ready come first
  expect(await queues.tasks.getDelayedCount()).toBe(1);
});
