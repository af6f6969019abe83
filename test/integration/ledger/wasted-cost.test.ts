import { expect, it } from 'vitest';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { readLedger, toCostReport } from '../../../src/ledger/report/report.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

const test = useRedis();

async function readSums(fleet: SimulatedFleet): Promise<{ nano: number; tasks: number; tokens: number }> {
  const session = await fleet.inner.currentSession();
  const [nano, tasks, tokens] = await test.redis.hmget(
    test.keys.sessionTotals(session),
    'rework:nano',
    'rework:tasks',
    'rework:tokens',
  );
  return { nano: Number(nano), tasks: Number(tasks), tokens: Number(tokens) };
}

async function readReport(by: 'mission' | 'model' = 'model') {
  const sonnet = catalog.findPrices('claude-sonnet-5-5', new Date());
  return toCostReport(await readLedger(test.db), { by, sonnet, catalog });
}

async function retry(fleet: SimulatedFleet, id: string): Promise<void> {
  const { db, queues } = fleet.inner;
  const known = { workspaces: [], contexts: [] } as never; // no task is edited
  await retryJob({ db, queue: queues.tasks }, id, { by: 'test', known });
}

it('counts what a failed task has spent, and no task that ended well', async () => {
  const fleet = await useSimulatedFleet(test);
  await fleet.until(await fleet.add('Say something'), 'completed');
  const bill = (): number => fleet.simulator.served().billNanoUsd;
  const before = bill();
  expect(await readSums(fleet)).toEqual({ nano: 0, tasks: 0, tokens: 0 });
  await fleet.until(await fleet.add('Decide the architecture of the next version [[turns:9]]'), 'failed'); // handed back
  expect(await readSums(fleet)).toMatchObject({ nano: bill() - before, tasks: 1 });
});

it('puts it to the account of the model, and what is saved sinks', async () => {
  const fleet = await useSimulatedFleet(test);
  await fleet.until(await fleet.add('Say something'), 'completed');
  await fleet.until(await fleet.add('Say no [[refuse]]'), 'failed');
  const { rows, total } = await readReport();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ name: 'claude-haiku-5-5', tasks: 1, reworkTasks: 1 });
  expect(total.reworkNano).toBeGreaterThan(0);
  expect(total.effectiveSavedPercent).toBeLessThan(total.savedPercent);
});

it('counts a second failure by what it has spent since the first', async () => {
  const fleet = await useSimulatedFleet(test);
  const id = await fleet.add('Say no [[refuse]]');
  await fleet.until(id, 'failed');
  const once = await readSums(fleet);
  await retry(fleet, id);
  await waitUntil(async () => (await readSums(fleet)).tasks === 2);
  await fleet.until(id, 'failed');
  const books = await readSums(fleet);
  expect(books.nano).toBe(fleet.simulator.served().billNanoUsd);
  expect(books.nano).toBeGreaterThan(once.nano);
});

it('counts nothing for a task that failed before its first call', async () => {
  const fleet = await useSimulatedFleet(test);
  await fleet.until(
    await fleet.add('Say', { contexts: ['nothing'] }).catch(async () => {
      const job = await fleet.queue.add('task', { description: 'Say', contexts: ['nothing'], session: 's' });
      return job.id ?? '';
    }),
    'failed',
  );
  expect(await readSums(fleet)).toEqual({ nano: 0, tasks: 0, tokens: 0 });
});
