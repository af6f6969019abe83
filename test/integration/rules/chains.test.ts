import { expect, test } from 'vitest';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { createRules } from '../../../src/rules/create-rules.ts';
import { toTaskId } from '../../../src/rules/fire.ts';
import { watchRules } from '../../../src/rules/watch-rules.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';

const redis = useRedis();

async function open() {
  const fleet = await useSimulatedFleet(redis, { workers: 1 });
  const { inner } = fleet;
  const subscriber = await redis.connect();
  const stop = watchRules({ ...inner, subscriber, log: createLogger('test', 'silent') });
  redis.cleanup(stop);
  const rules = createRules({ ...inner, configured: toConfigured({ FLEET_WORKSPACES: {}, models: [] }) });
  const add = (name: string, from: string, to: string, more = {}) =>
    rules.add(name, { match: { topic: from }, task: { description: 'Say done [[turns:1]]', topics: [to] }, ...more });
  return { fleet, rules, add };
}

test('a→b→a stops at its depth: what is done cites its cause, what is not done is parked with its chain', async () => {
  const { fleet, rules, add } = await open();
  await add('a', 'x', 'y');
  await add('b', 'y', 'x', { maxDepth: 2 });
  await storeFindings(redis, { seed: { topics: ['x'], result: 'the words of the seed', session: 's' } });
  await waitUntil(async () => (await rules.parked()).length === 1, { what: 'the end of the chain' });
  const [first, second] = [toTaskId('a', 'seed'), await findTaskOf('b')];
  const [parked] = await rules.parked();
  expect(parked).toMatchObject({ rule: 'a', why: 'depth' });
  expect(parked?.chain.map(({ rule }) => rule)).toEqual(['a', 'b', 'a']);
  expect(await fleet.queue.getJobCounts('completed', 'waiting', 'active', 'failed')).toMatchObject({ completed: 2 });
  const finding = await (await fleet.tasks.get(first))?.finding();
  expect(finding?.citations).toEqual(['seed']);
  expect(finding?.origin).toEqual({ chain: [{ rule: 'a', finding: 'seed' }] });
  expect((await (await fleet.tasks.get(second))?.finding())?.origin?.chain).toHaveLength(2);

  const rows = await readLedger(redis.db);
  expect(rows.map(({ rule, tasks }) => `${rule} ${tasks}`).toSorted()).toEqual(['a 1', 'b 1']);
  const a = await rules.show('a');
  const b = await rules.show('b');
  expect(a.settledNanoUsd, 'a pays for its chain').toBe(rows.reduce((sum, { nano }) => sum + nano, 0));
  expect(b.settledNanoUsd).toBe(rows.find(({ rule }) => rule === 'b')?.nano);
  await assertBooksAgree(redis.db);

  async function findTaskOf(rule: string): Promise<string> {
    const jobs = await fleet.queue.getCompleted();
    return jobs.find(({ id = '' }) => id.startsWith(`when-${rule}-`))?.id ?? '';
  }
});

test('a→b→a stops at its budget, with nothing over it; a higher one lets it go on', async () => {
  const { fleet, rules, add } = await open();
  await add('a', 'x', 'y', { maxDepth: 20, budgetUsd: 0.02 });
  await add('b', 'y', 'x', { maxDepth: 20 });
  await storeFindings(redis, { seed: { topics: ['x'] } });
  const isStill = async (): Promise<boolean> => {
    const { active = 0, waiting = 0 } = await fleet.queue.getJobCounts('active', 'waiting');
    const held = (await redis.redis.hlen(redis.keys.parked)) + (await rules.parked()).length;
    return active + waiting === 0 && held > 0;
  };
  await waitUntil(isStill, { what: 'a chain that is parked', timeoutMs: 60_000 });
  const { settledNanoUsd, reservedNanoUsd, uncertainNanoUsd, budgetNanoUsd } = await rules.show('a');
  expect(settledNanoUsd + reservedNanoUsd + uncertainNanoUsd).toBeLessThanOrEqual(budgetNanoUsd ?? 0);
  const done = await fleet.queue.getCompletedCount();
  expect(done).toBeGreaterThan(0);
  const { released } = await fleet.budget.set(1, { rule: 'a' });
  expect(released).toBe(1);
  await waitUntil(async () => (await fleet.queue.getCompletedCount()) > done, { what: 'the chain that goes on' });
});
