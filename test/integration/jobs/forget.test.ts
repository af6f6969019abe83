import { expect, it } from 'vitest';
import { createForgetting } from '../../../src/jobs/forget/forget.ts';
import { dropEndedJobs, dropJobs } from '../../../src/jobs/forget/drop-ended-jobs.ts';
import { readBatch } from '../../../src/tasks/batch/progress.ts';
import { readKnownNames, toConfigured } from '../../../src/tasks/known-names.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { sweepReservations } from '../../../src/ledger/sweep.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { loadBatch } from '../../support/fleet/batch.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const DAY_MS = 86_400_000;
const failing = (name: string) =>
  createScriptedModel((request) =>
    JSON.stringify(request.messages[0]).includes(name) ? { text: '', stopReason: 'refusal' } : 'done',
  );

/** All sweeps, so many days from now. Entries go with the second look. */
async function forgetAfter(fleet: TestFleet, days: number): Promise<string[]> {
  const { db, queues } = fleet.inner;
  const warnings: string[] = [];
  const log = { warn: (_fields: unknown, text: string) => void warnings.push(text) };
  const nowMs = Date.now() + days * DAY_MS;
  await dropEndedJobs({ db, queues, log } as Parameters<typeof dropEndedJobs>[0], nowMs);
  const forget = createForgetting({ db });
  await forget(nowMs);
  await forget(nowMs);
  return warnings;
}

async function retry(fleet: TestFleet, id: string): Promise<void> {
  const { db, config } = fleet.inner;
  const known = await readKnownNames(db, toConfigured(config));
  await retryJob({ db, queue: fleet.queue }, id, { by: 'ann', known });
}

it('keeps what a failed task needs as long as its job is kept, then says that the job is gone', async () => {
  let isBad = true;
  const model = createScriptedModel(() => (isBad ? { text: '', stopReason: 'refusal' } : 'done'));
  const fleet = await useFleet(redis, { haiku: model });
  const task = { description: 'x', finding_id: 'mine', budget_usd: 1 };
  await fleet.tasks.add(task, { taskId: 'first' });
  await fleet.until('first', 'failed');

  expect(await forgetAfter(fleet, 29)).toEqual([]);
  const spent = await redis.redis.hget(redis.keys.spend('task:first'), 'settled');
  expect(Number(spent)).toBeGreaterThan(0);
  await expect(fleet.tasks.add(task, { taskId: 'other' })).rejects.toThrow('finding_id: "mine" is taken');
  isBad = false;
  await retry(fleet, 'first');
  await fleet.until('first', 'completed');

  isBad = true;
  await fleet.tasks.add({ description: 'y', finding_id: 'other', budget_usd: 1 }, { taskId: 'second' });
  await fleet.until('second', 'failed');
  expect(await forgetAfter(fleet, 31)).toEqual(['failed jobs are removed: they are too old, or too many']);
  expect(await fleet.counters()).toMatchObject({ old_failures_removed: '1' });
  await expect(retry(fleet, 'second')).rejects.toThrow(
    'job second: no such job in queue tasks; a failed job is kept for 30 days (at most 100,000)',
  );
  expect(await redis.redis.ttl(redis.keys.spend('task:second'))).toBeGreaterThan(0);
  expect(await redis.redis.hgetall(redis.keys.reservedFindings)).toEqual({});
});

it('removes only the oldest failed jobs beyond their number', async () => {
  const fleet = await useFleet(redis, { haiku: failing('x') });
  for (const id of ['one', 'two', 'three']) {
    await fleet.tasks.add({ description: 'x' }, { taskId: id });
    await fleet.until(id, 'failed');
  }
  expect(await dropJobs(redis.db, fleet.queue, 'failed', { age: 60, count: 2 }, Date.now())).toBe(1);
  expect((await fleet.queue.getFailed()).map(({ id }) => id)).toEqual(['three', 'two']);
});

it('forgets an old batch only when none of its jobs is left, and still knows its lines', async () => {
  const fleet = await useFleet(redis, { haiku: failing('bad') });
  const lines = [{ description: 'good', finding_id: 'chosen' }, { description: 'bad' }];
  await (await loadBatch(redis, fleet, lines, { batch: 'b', budgetUsd: 1 })).follow();
  await createForgetting({ db: redis.db })(Date.now() + 91 * DAY_MS);
  expect(await readBatch(redis.db, 'b')).toMatchObject({ failed: 1, completed: 1 }); // a person may still retry it

  await forgetAfter(fleet, 91);
  await expect(readBatch(redis.db, 'b')).rejects.toThrow(
    'batch "b": its record was removed, 90 days after it was loaded; its findings stay: `fleet findings --batch b`',
  );
  expect(await redis.redis.zrange(redis.keys.batches, '0', '-1')).toEqual([]);
  const { report } = await loadBatch(redis, fleet, lines, { batch: 'b' });
  expect(report).toMatchObject({ existing: 1, added: 1 }); // the finding that names its task, and the failed line
});

it('books a late amount nowhere but in the ledger once its own budget is gone', async () => {
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const model = createScriptedModel(async () => {
    await held;
    return 'done';
  });
  const fleet = await useFleet(redis, { haiku: model });
  await fleet.tasks.add({ description: 'x', budget_usd: 1 }, { taskId: 'late' });
  await expect.poll(() => model.calls.length).toBe(1);
  const { db } = fleet.inner;
  await sweepReservations(db, { olderThanMs: -DAY_MS });
  await redis.redis.del(redis.keys.spend('task:late')); // as after a task that has ended
  const [call] = (await readUncertain(db)).values();
  if (call !== undefined) await settleUncertain(db, call, { nanoUsd: 5, by: 'ann', why: 'test' });
  expect(await redis.redis.exists(redis.keys.spend('task:late'))).toBe(0);
  release?.();
  await fleet.until('late', 'completed');
  expect(await redis.redis.exists(redis.keys.spend('task:late'))).toBe(0);
});

it('lets a key stay whose owner is there again', async () => {
  const { redis: connection, keys, db } = redis;
  await connection.hset(keys.spend('batch:again'), 'limit', 1);
  const forget = createForgetting({ db });
  await forget(Date.now());
  expect(await connection.ttl(keys.spend('batch:again'))).toBeGreaterThan(80 * 86_400);
  await connection.hset(keys.batch('again'), 'lines', 1);
  await forget(Date.now());
  expect(await connection.ttl(keys.spend('batch:again'))).toBe(-1);
});
