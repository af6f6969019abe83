import { expect, test } from 'vitest';
import { openFleet } from '../../../src/api/open-fleet.ts';
import { addClient } from '../../../src/clients/clients.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { readBudget, setBudget } from '../../../src/ledger/budget.ts';
import { readLedger, toCostReport } from '../../../src/ledger/report/report.ts';
import { sweepReservations } from '../../../src/ledger/sweep.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { noticesOf } from '../../../src/status/notices/notices.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { loseCall, toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

const redis = useRedis();
const TASKS = 50;
const BUDGET_USD = 0.01;

test('fifty delegations at once never pass the client’s budget; a higher one ends the rest, and the books agree', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 25, simulator: { latencyMs: 20 } });
  const { db, config, queues } = fleet.inner;
  await addClient(db, { name: 'alice', role: 'delegate', budgetUsd: BUDGET_USD, expires: null });
  const alice = await openFleet(config, { client: 'alice' });
  redis.cleanup(() => alice.close());
  // Half of them in a batch with a budget of its own, which does not limit them.
  const add = (i: number) => ({ description: `Say ${i} [[turns:2]] [[tokens:2000]]`, shard: `s-${i % 2}` });
  await Promise.all([
    alice.tasks.addMany(
      Array.from({ length: TASKS / 2 }, (_, i) => add(i)),
      { batch: 'night', budgetUsd: 5 },
    ),
    ...Array.from({ length: TASKS / 2 }, (_, i) => alice.tasks.add(add(TASKS + i))),
  ]);
  const isStill = async (): Promise<boolean> => {
    const { active = 0, waiting = 0, delayed = 0 } = await queues.tasks.getJobCounts('active', 'waiting', 'delayed');
    return active + waiting === 0 && delayed > 0 && delayed === (await redis.redis.hlen(redis.keys.parked));
  };
  await waitUntil(isStill, { what: 'a fleet that stands still', timeoutMs: 30_000 });

  const { settled, reserved, uncertain, limit } = await readBudget(db, { client: 'alice' });
  expect(limit).toBe(10_000_000);
  expect(settled + reserved + uncertain).toBeLessThanOrEqual(10_000_000);
  expect(fleet.simulator.served().billNanoUsd).toBeLessThanOrEqual(10_000_000);
  expect(await queues.tasks.getFailedCount()).toBe(0);
  const notices = noticesOf(await readStatus(db, {}));
  expect(notices.find(({ kind }) => kind === 'parked')).toMatchObject({
    text: expect.stringMatching(/^\d+ client alice \(\$0\.0100, \$\d\.\d{4} spent, .*\)$/),
    items: [{ command: 'fleet budget USD --client alice' }],
  });
  const names = settled + uncertain >= 8_000_000 ? ['alice'] : [];
  expect((await readStatus(db, {})).tightClients.map(({ name }) => name)).toEqual(names);

  await setBudget(db, 5, { client: 'alice' });
  expect(await releaseParked(fleet.inner, { scope: 'client', name: 'alice' })).toBeGreaterThan(0);
  await waitUntil(async () => (await queues.tasks.getCompletedCount()) === TASKS, { what: 'all', timeoutMs: 30_000 });
  const { billNanoUsd: nanoUsd, calls } = fleet.simulator.served();
  await assertBooksAgree(db, { bill: { calls, nanoUsd } });
  expect((await readBudget(db, { client: 'alice' })).settled).toBe(nanoUsd);
  const { rows } = await fleet.costs({ by: 'shard', only: { client: 'alice' } });
  expect(Object.fromEntries(rows.map(({ name, tasks }) => [name, tasks]))).toEqual({ 's-0': 26, 's-1': 24 });
}, 90_000);

test('an uncertain call of a client is its own, and settled in its row', async () => {
  await loseCall(redis, { client: 'alice', shard: 'docs', batch: 'night' });
  const [call] = await readUncertain(redis.db);
  expect(call).toMatchObject({
    budgets: [
      { scope: 'client', name: 'alice' },
      { scope: 'batch', name: 'night' },
    ],
  });
  expect(await readBudget(redis.db, { client: 'alice' })).toMatchObject({ settled: 0, uncertain: 700 });
  if (call === undefined) throw new Error('there is no uncertain call');
  await settleUncertain(redis.db, call, { nanoUsd: 600, by: 'ada@box', why: 'on the bill' });
  expect(await readBudget(redis.db, { client: 'alice' })).toMatchObject({ settled: 600, uncertain: 0 });
  const sonnet = catalog.findPrices('claude-sonnet-5-5', new Date());
  const [row] = toCostReport(await readLedger(redis.db), { by: 'client', sonnet, catalog }).rows;
  expect(row).toMatchObject({ name: 'alice', costNano: 600, calls: 1 });
  await assertBooksAgree(redis.db);
});

test('a call whose process died is swept in the client’s scope, too, and its place in the budget is kept', async () => {
  const ledger = createTurnLedger({ db: redis.db, workerId: 'w' });
  await setBudget(redis.db, 0.000_001, { client: 'alice' });
  const begin = (jobId: string) =>
    ledger.begin(
      { ...toTestIdentity(jobId), client: 'alice', model: 'claude-haiku-5-5', costVendor: 'haiku' },
      { turn: 0, worstNanoUsd: 700, first: true },
    );
  expect(await begin('one')).toMatchObject({ kind: 'reserved' });
  expect(await begin('two')).toMatchObject({ kind: 'budget', scope: 'client', name: 'alice', held: true });
  expect(await sweepReservations(redis.db, { olderThanMs: -60_000 })).toBe(1);
  expect(await readBudget(redis.db, { client: 'alice' })).toMatchObject({ reserved: 0, uncertain: 700 });
  expect(await begin('two')).toMatchObject({ kind: 'budget', scope: 'client', held: false });
});
