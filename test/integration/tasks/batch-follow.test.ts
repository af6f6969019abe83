import { expect, test } from 'vitest';
import { describeParkedOf } from '../../../src/cli/output/batch.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { readParkedOf } from '../../../src/tasks/batch/progress.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { loadBatch } from '../../support/fleet/batch.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };

test('writes one result for each line, in order, with costs of failed ones too', async () => {
  const fleet = await useFleet(redis, {
    haiku: createScriptedModel((request) => `about ${JSON.stringify(request.messages).length}`),
  });

  const batch = await loadBatch(
    redis,
    fleet,
    [{ description: 'one' }, '{bad', '', { description: 'four', schema: SCHEMA }],
    { batch: 'nightly' },
  );

  expect(await batch.follow()).toBe('failed');
  expect(await batch.results()).toEqual([
    {
      line: 1,
      task_id: 'nightly-1',
      state: 'completed',
      finding_id: expect.stringMatching(/^finding_/) as string,
      result: expect.stringMatching(/^about /) as string,
      cost: 0.00011,
      error: null,
      tool_errors: 0,
    },
    {
      line: 2,
      task_id: null,
      state: 'invalid',
      finding_id: null,
      result: null,
      cost: null,
      error: expect.stringMatching(/^expected JSON/) as string,
      tool_errors: 0,
    },
    { line: 3, task_id: null, state: 'blank', finding_id: null, result: null, cost: null, error: null, tool_errors: 0 },
    {
      line: 4,
      task_id: 'nightly-4',
      state: 'failed',
      finding_id: null,
      result: null,
      cost: 0.00022,
      error: expect.stringMatching(/^schema: /) as string,
      tool_errors: 0,
    },
  ]);
});

test('is done once every failed task was retried and has its one finding', async () => {
  const fleet = await useFleet(redis, {
    haiku: createScriptedModel((_, call) => (call <= 2 ? 'no number' : '{"n": 1}')),
  });
  const batch = await loadBatch(redis, fleet, [{ description: 'count', schema: SCHEMA }], { batch: 'mended' });
  expect(await batch.follow()).toBe('failed');

  const { db, queues } = fleet.inner;
  const { keys } = db;
  await retryJob({ db, queue: queues.tasks }, 'mended-1', {
    by: 'test',
    known: { workspaces: null, contexts: new Set(), catalog: createCatalog([]) },
  });

  expect(await batch.follow()).toBe('done');
  expect(await redis.redis.zcard(keys.indexByBatch('mended'))).toBe(1);
  expect(await redis.redis.scard(keys.batchFailed('mended'))).toBe(0);
});

test('stops waiting when the fleet is halted', async () => {
  const fleet = await useFleet(redis);
  const batch = await loadBatch(redis, fleet, [{ description: 'one' }], { batch: 'stopped' });
  await fleet.halt.halt({ reason: 'person', step: '', by: 'test', detail: 'enough' });

  expect(await batch.follow()).toBe('halted');
  expect((await batch.results()).map(({ state }) => state)).toEqual(['waiting']);
});

test('stops waiting when what is left is parked, and a higher budget lets it go on', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  const lines = [{ description: 'one' }, { description: 'two' }];
  const batch = await loadBatch(redis, fleet, lines, { batch: 'poor', budgetUsd: 0.000_001 });

  expect(await batch.follow()).toBe('parked');
  expect((await batch.results()).map(({ state, error }) => [state, error])).toEqual([
    ['parked', 'parked: budget'],
    ['parked', 'parked: budget'],
  ]);

  const { db, queues } = fleet.inner;
  const { keys } = db;
  await setBudget(db, 1, { batch: 'poor' });
  const parts = { db, queues };
  expect(await releaseParked(parts, { scope: 'batch', name: 'poor' })).toBe(2);
  expect(await batch.follow()).toBe('done');
  expect(await redis.redis.hlen(keys.parked)).toBe(0);
});

test('names the budget of each task that is parked for its own', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  const lines = [{ description: 'one', budget_usd: 0.000_001 }, { description: 'two' }];
  const batch = await loadBatch(redis, fleet, lines, { batch: 'mixed' });
  expect(await batch.follow()).toBe('parked');
  expect(describeParkedOf('mixed', await readParkedOf(redis.db, 'mixed'))).toEqual([
    '1 task waits for a higher budget: fleet budget USD --task mixed-1',
  ]);
});

test('lets parked tasks go on when the same file is loaded with a higher budget', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  const lines = [{ description: 'one' }, { description: 'two' }];
  await (await loadBatch(redis, fleet, lines, { batch: 'poor', budgetUsd: 0.000_001 })).follow();
  const again = await loadBatch(redis, fleet, lines, { batch: 'poor', budgetUsd: 1 });
  expect(await again.follow()).toBe('done');
  expect(await redis.redis.hlen(redis.keys.parked)).toBe(0);
});

test('releases nothing that waits for another budget', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  const batch = await loadBatch(redis, fleet, [{ description: 'one' }], { batch: 'mine', budgetUsd: 0.000_001 });
  await batch.follow();

  const { db, queues } = fleet.inner;
  const { keys } = db;
  const parts = { db, queues };

  expect(await releaseParked(parts, { scope: 'batch', name: 'other' })).toBe(0);
  expect(await redis.redis.hlen(keys.parked)).toBe(1);
});

test('believes the jobs rather than counters that run ahead of them', async () => {
  const fleet = await useFleet(redis);
  const batch = await loadBatch(redis, fleet, [{ description: 'one' }], { batch: 'ahead' });
  await redis.redis.sadd(redis.keys.batchFailed('ahead'), 'ahead-1'); // noted by a worker that died before the job failed

  let ended = false;
  const end = batch.follow().then((how) => {
    ended = true;
    return how;
  });
  await fleet.startHaiku(createScriptedModel(() => (ended ? 'too late' : 'done')));

  expect(await end).toBe('done');
  expect((await batch.results())[0]).toMatchObject({ state: 'completed', result: 'done' });
});

test('says of a job that somebody removed that it is missing', async () => {
  const fleet = await useFleet(redis);
  const batch = await loadBatch(redis, fleet, [{ description: 'one' }], { batch: 'gone' });
  await (await fleet.queue.getJob('gone-1'))?.remove();

  expect(await batch.follow()).toBe('failed');
  expect((await batch.results())[0]).toMatchObject({ state: 'missing', finding_id: null });
});

test('counts no parked task into the time that is left', async () => {
  const fleet = await useFleet(redis);
  const lines = Array.from({ length: 100 }, (_, i) => ({ description: `task ${i}` }));
  const batch = await loadBatch(redis, fleet, lines, { batch: 'half' });
  const { db } = fleet.inner;
  const begun = db.clock.now() - 60_000;
  const done = Array.from({ length: 31 }, (_, i) => [begun + i, `finding_half_${i}`]).flat();
  await redis.redis.zadd(db.keys.indexByBatch('half'), ...done);
  for (let line = 61; line <= 100; line += 1) await redis.redis.hset(db.keys.parked, `half-${line}`, 'batch:half');

  const lefts: [number, number | undefined][] = [];
  const following = batch.follow(({ parked, pace }) => lefts.push([parked, pace?.leftMs]));
  await waitUntil(() => lefts.some(([parked]) => parked === 40));
  await fleet.halt.halt({ reason: 'person', step: '', by: 'test', detail: 'enough' });
  expect(await following).toBe('halted');

  const [before] = lefts;
  const after = lefts.find(([parked]) => parked === 40);
  expect(before).toEqual([0, undefined]); // not known yet: no number rather than a wrong one
  expect(after?.[1]).toBeGreaterThan(29 * 2_000);
  expect(after?.[1]).toBeLessThan(34 * 2_500); // of 29 tasks at one in two seconds; the parked 40 would make it 69
});
