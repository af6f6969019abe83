import { readBudget } from '../src/ledger/budget.ts';
import { toNanoUsd } from '../src/pricing/money.ts';
import { costNanoUsd } from '../src/pricing/cost.ts';
import { readLedger, toCostReport } from '../src/ledger/report/report.ts';
import { createTurnLedger } from '../src/ledger/turn-ledger.ts';
import type { TaskIdentity, TurnLedger } from '../src/ledger/types.ts';
import { createCatalog, type CatalogEntry } from '../src/pricing/catalog.ts';
import type { Usage } from '../queues/usage.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import type { Measure } from './measure.ts';
import type { Db } from '../src/redis/db.ts';
import { startScratchRedis } from './scratch-redis.ts';

const catalog = createCatalog([]);

/** A day with the prices of the worked example: $1/$5 and $3/$15 per million tokens. */
const AT = new Date('2026-11-01T12:00:00Z');
const MANY = 100_000;
/** Count of calls under way at once. */
const LANES = 500;

/** Books SPEC's worked example and a hundred thousand small tasks with the ledger's own scripts, and checks the sums. */
export async function measureMoney(): Promise<Measure[]> {
  const haiku = catalog.find('claude-haiku-4-5', AT);
  const sonnet = catalog.find('claude-sonnet-4-5', AT);
  const redis = await startScratchRedis();
  try {
    const example = await openFleet(redis.config({ FLEET_SWARM: 'example' }));
    const many = await openFleet(redis.config({ FLEET_SWARM: 'many' }));
    const { db } = example.inner;
    const { redis: connection, keys } = db;
    await Promise.all([
      connection.hset(keys.budget, 'day', 10 ** 15),
      connection.hset(many.inner.db.keys.budget, 'day', 10 ** 15),
    ]);

    const each: Usage = { input: 2_000, cache_write: 0, cache_read: 0, output: 500 };
    await bookMany(db, 100, each, (i) => (i < 10 ? sonnet : haiku));
    const rows = await readLedger(db);
    const { total } = toCostReport(rows, {
      by: 'session',
      sonnet: catalog.findPrices('claude-sonnet-4-5', AT),
      catalog,
    });

    const small: Usage = { input: 100, cache_write: 0, cache_read: 0, output: 200 }; // $0.0011 on Haiku
    await bookMany(many.inner.db, MANY, small, () => haiku);
    const [settled, shown] = await readSums(many);
    await Promise.all([example.close(), many.close()]);
    return [
      {
        name: '100 tasks of 2,000 + 500 tokens, ten on Sonnet',
        value: total.costNano / 1e9,
        unit: 'USD',
        bar: { exactly: 0.54 },
      },
      { name: 'the same on Sonnet alone', value: total.allSonnetNano / 1e9, unit: 'USD', bar: { exactly: 1.35 } },
      { name: 'saved', value: Number(total.savedPercent.toFixed(9)), unit: '%', bar: { exactly: 60 } },
      { name: '100,000 tasks of $0.0011, as booked', value: settled / 1e9, unit: 'USD', bar: { exactly: 110 } },
      {
        name: 'the same in cost:haiku, to the nano-dollar', // a float that any program may add to
        value: shown / 1e9,
        unit: 'USD',
        bar: { exactly: 110 },
      },
    ];
  } finally {
    await redis.stop();
  }
}

async function readSums({ inner: { db } }: OpenFleet): Promise<[settled: number, shown: number]> {
  const { redis, keys } = db;
  const { settled } = await readBudget(db, null);
  return [settled, toNanoUsd((await redis.get(keys.cost('haiku'))) ?? '0')];
}

/** Reserves and settles one call for each of so many jobs. */
async function bookMany(db: Db, count: number, usage: Usage, modelOf: (i: number) => CatalogEntry): Promise<void> {
  const ledger = createTurnLedger({ db, workerId: 'bench' });
  let next = 0;
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let i = next++; i < count; i = next++) await bookOne(ledger, i, usage, modelOf(i));
    }),
  );
}

async function bookOne(ledger: TurnLedger, i: number, usage: Usage, entry: CatalogEntry): Promise<void> {
  const task: TaskIdentity = {
    jobId: `job-${i}`,
    token: '', // no queue, no lock
    attempt: 0,
    digest: 'd',
    findingId: `finding_${i}`,
    session: 'example',
    batch: null,
    missionId: null,
    budgetNanoUsd: null,
    model: entry.id,
    costVendor: entry.costVendor,
  };
  const nanoUsd = costNanoUsd(entry, usage);
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: nanoUsd, first: true });
  if (begun.kind !== 'reserved') throw new Error(`job ${i}: ${begun.kind}`);
  const booking = { reservation: begun.reservation, nanoUsd, usage };
  await ledger.settle(
    task,
    { epoch: begun.epoch, turn: 0 },
    booking,
    null,
    { nanoUsd, usage, calls: 1 },
    {
      log: '',
      progress: null,
    },
  );
}
