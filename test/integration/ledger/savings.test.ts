import { expect, it } from 'vitest';
import { costNanoUsd } from '../../../src/pricing/cost.ts';
import { toNanoUsd, toUsdString } from '../../../src/pricing/money.ts';
import { readLedger, toCostReport } from '../../../src/ledger/report/report.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TaskIdentity } from '../../../src/ledger/types.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const catalog = createCatalog([]);

const test = useRedis();

/** A day on which the 4.5 models are served, independent of today. */
const NOW = new Date('2026-11-21T12:00:00Z');
const HAIKU = 'claude-haiku-4-5';
const SONNET = 'claude-sonnet-4-5';

async function openLedger() {
  return createTurnLedger({ db: await test.connectDb(), workerId: 'haiku_box_001' });
}

/** One task of one call, as a worker books it. */
async function work(
  ledger: Awaited<ReturnType<typeof openLedger>>,
  n: number,
  model: string,
  usage: Usage,
): Promise<void> {
  const entry = catalog.find(model, NOW);
  const task: TaskIdentity = {
    jobId: `mission-${n}`,
    token: '',
    attempt: 0,
    digest: 'd',
    findingId: `finding_${n}`,
    session: 's',
    batch: null,
    missionId: 'm',
    budgetNanoUsd: null,
    model,
    costVendor: entry.costVendor,
  };
  const nanoUsd = costNanoUsd(entry, usage);
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: nanoUsd, first: true });
  if (begun.kind !== 'reserved') throw new Error(`expected a reservation, got ${begun.kind}`);
  const finding = { finding_id: task.findingId, job_id: task.jobId, topics: [] } as never;
  const booking = { reservation: begun.reservation, nanoUsd, usage };
  expect(await ledger.finish(task, finding, booking, { log: '', progress: null })).toBe('recorded');
}

it('comes to $0.54 against $1.35, 60.0 % to the cent, for 90 Haiku and 10 Sonnet tasks of 2,000 + 500 tokens', async () => {
  const ledger = await openLedger();
  const usage = { input: 2_000, cache_write: 0, cache_read: 0, output: 500 };
  await Promise.all(Array.from({ length: 100 }, (_, n) => work(ledger, n + 1, n % 10 === 0 ? SONNET : HAIKU, usage)));
  const report = toCostReport(await readLedger(test.db), {
    by: 'mission',
    sonnet: catalog.findPrices(SONNET, NOW),
    catalog,
  });
  expect(report.rows).toHaveLength(1);
  expect(report.total).toMatchObject({ name: null, tasks: 100, costNano: 540_000_000, allSonnetNano: 1_350_000_000 });
  expect(report.total.savedPercent.toFixed(1)).toBe('60.0');
  expect(report.total.effectiveSavedPercent).toBe(report.total.savedPercent);
  expect(await test.redis.mget(test.keys.cost('haiku'), test.keys.cost('sonnet'))).toEqual(['0.405', '0.135']);
  expect(await test.redis.hmget(test.keys.sessionTotals('s'), 'haiku:tasks', 'sonnet:tasks')).toEqual(['90', '10']);
});

it('comes to exactly $1.10 for 1,000 tasks of $0.0011', async () => {
  const ledger = await openLedger();
  const usage = { input: 600, cache_write: 0, cache_read: 0, output: 100 }; // 600 × $1 + 100 × $5 per million
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => work(ledger, n + 1, HAIKU, usage)));
  const { total } = toCostReport(await readLedger(test.db), {
    by: 'day',
    sonnet: catalog.findPrices(SONNET, NOW),
    catalog,
  });
  expect(toUsdString(total.costNano, 9)).toBe('1.100000000');
  expect(await test.redis.get(test.keys.cost('haiku'))).toBe('1.1');
});

it('comes to exactly $110 for 100,000 additions of $0.0011 to a public total', async () => {
  const add = `for i = 1, 100000 do redis.call('INCRBYFLOAT', KEYS[1], ARGV[1]); redis.call('HINCRBY', KEYS[2], 'nano', ARGV[2]) end`;
  const { cost, sessionTotals } = test.keys;
  await test.redis.eval(add, 2, cost('haiku'), sessionTotals('s'), '0.001100000', '1100000');
  expect(toNanoUsd((await test.redis.get(cost('haiku'))) ?? '')).toBe(110_000_000_000);
  expect(await test.redis.hget(sessionTotals('s'), 'nano')).toBe('110000000000');
});
