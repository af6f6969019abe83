import { expect, it } from 'vitest';
import { startAnthropicSimulator, type AnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { PaidCalls } from '../../../src/ledger/calls/paid-calls.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { reconcile, type Reconciliation } from '../../../src/ledger/uncertain/reconcile.ts';
import { readUsageReport } from '../../../src/models/anthropic/usage-report.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import type { ModelReply } from '../../../src/models/model.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const catalog = createCatalog([]);

const redis = useRedis();
const ADMIN_KEY = 'admin-key-of-a-test';
const entry = catalog.find('claude-haiku-5-5', new Date());
const { signal } = new AbortController();

async function openSimulator(): Promise<AnthropicSimulator> {
  const simulator = await startAnthropicSimulator({ latencyMs: 0, rules: 'real' });
  redis.cleanup(() => simulator.close());
  return simulator;
}

function openModel(simulator: AnthropicSimulator): ReturnType<typeof createAnthropicModel> {
  return createAnthropicModel({ apiKey: 'key', baseUrl: simulator.url, idleMs: 5_000, totalMs: 10_000 });
}

/** One paid call of a job of its own. @returns whether its reply came */
async function call(
  simulator: AnthropicSimulator,
  jobId: string,
  fault?: 'reset-before' | 'reset-after' | 'cut',
): Promise<boolean> {
  simulator.setFaults(fault === undefined ? [] : [{ kind: fault, times: 1 }]);
  const calls = new PaidCalls<ModelReply>({
    ledger: createTurnLedger({ db: redis.db, workerId: 'w' }),
    identity: toTestIdentity(jobId),
    signal,
    isDraining: () => false,
  });
  const content = `Say it for ${jobId} [[turns:1]]`;
  const request = {
    model: entry.id,
    system: [],
    tools: [],
    maxTokens: 4_000,
    messages: [{ role: 'user' as const, content }],
  };
  const bound = { inputTokensBound: 2_000, maxTokens: 4_000 };
  try {
    const paid = await calls.make({ turn: 0, payer: { entry, free: false }, bound }, () =>
      openModel(simulator).call(request, { signal }),
    );
    if (paid.kind === 'reply') await calls.store(paid, { log: '', progress: null });
    return true;
  } catch {
    return false;
  }
}

async function reconcileToday(simulator: AnthropicSimulator): Promise<Reconciliation | undefined> {
  const day = toUtcDay(new Date());
  const report = await readUsageReport(day, { adminKey: ADMIN_KEY, baseUrl: simulator.url, signal });
  const rows = await reconcile(redis.db, { day, report, by: 'ada', catalog });
  expect(rows.length).toBeLessThanOrEqual(1);
  return rows[0];
}

it('settles calls as unpaid where the ledger holds all that the provider counted', async () => {
  const simulator = await openSimulator();
  expect(await call(simulator, 'a')).toBe(true);
  expect(await call(simulator, 'b', 'reset-before')).toBe(false);
  expect(await readBooks(redis)).toMatchObject({ uncertainCalls: 1 });
  expect(await reconcileToday(simulator)).toMatchObject({
    conclusion: 'unpaid',
    gapNanoUsd: 0,
    settled: [{ jobId: 'b' }],
  });
  const books = await readBooks(redis);
  expect(books).toMatchObject({ uncertain: 0, uncertainCalls: 0, ledgerCalls: 1 });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
});

it('settles calls at what the provider counted more, to the last token', async () => {
  const simulator = await openSimulator();
  await call(simulator, 'a');
  for (const job of ['b', 'c']) expect(await call(simulator, job, 'reset-after')).toBe(false);
  expect(await call(simulator, 'd', 'reset-before')).toBe(false);
  expect(await reconcileToday(simulator)).toMatchObject({ conclusion: 'explained', uncertainCalls: 3 });
  const books = await readBooks(redis);
  expect(books).toMatchObject({ uncertain: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
  expect(books.costHaiku).toBe(books.settled);
  const again = await reconcileToday(simulator);
  expect(again).toMatchObject({ conclusion: 'none', gapNanoUsd: 0 });
  expect(again?.ledger).toEqual(again?.provider);
});

it('settles the rest of a broken stream at what the provider counted beyond its last report', async () => {
  const simulator = await openSimulator();
  await call(simulator, 'a');
  expect(await call(simulator, 'b', 'cut')).toBe(false);
  const before = await readBooks(redis);
  const bill = simulator.served().billNanoUsd;
  expect(before).toMatchObject({ uncertainCalls: 1, ledgerCalls: 2 });
  expect(before.settled).toBeLessThan(bill); // the text that came is counted, but was not reported yet
  expect(before.settled + before.uncertain).toBeGreaterThanOrEqual(bill);
  expect(await reconcileToday(simulator)).toMatchObject({ conclusion: 'explained' });
  expect(await readBooks(redis)).toMatchObject({ settled: bill, uncertain: 0, uncertainCalls: 0, ledgerCalls: 2 });
});

it('leaves calls uncertain where another program uses the account', async () => {
  const simulator = await openSimulator();
  await call(simulator, 'b', 'reset-before');
  const content = 'x'.repeat(200_000);
  const foreign = {
    model: entry.id,
    system: [],
    tools: [],
    maxTokens: 1_000,
    messages: [{ role: 'user' as const, content }],
  };
  await openModel(simulator).call(foreign, { signal });
  expect(await reconcileToday(simulator)).toMatchObject({ conclusion: 'unexplained', settled: [] });
  expect(await readUncertain(redis.db)).toHaveLength(1);
});

it('knows a dated snapshot by its model', async () => {
  const simulator = await openSimulator();
  await call(simulator, 'b', 'reset-before');
  const usage = { input: 100, cache_write: 0, cache_read: 0, output: 10 };
  const report = [{ model: 'claude-haiku-5-5-20260901', geo: null, usage }];
  const [row] = await reconcile(redis.db, { day: toUtcDay(new Date()), report, by: 'ada', catalog });
  expect(row).toMatchObject({ model: 'claude-haiku-5-5', provider: usage, conclusion: 'explained' });
});
