import { expect, it } from 'vitest';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();

it('reads back every day, with names that hold the separator', async () => {
  const { redis, keys, db } = test;
  const row = 'week%7C47|50%25||claude-haiku-5-5|haiku_box_001|';
  await redis.sadd(keys.ledgerDays, '2026-11-21', '2026-11-20');
  await redis.hincrby(keys.ledger('2026-11-20'), `${row}nano`, 110_000);
  await redis.hincrby(keys.ledger('2026-11-21'), `${row}nano`, 220_000);
  await redis.hincrby(keys.ledger('2026-11-21'), `${row}cache_read`, 9);

  const rework = { nano: 0, tasks: 0, usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 } };
  const names = { session: 'week|47', batch: '50%', mission: null, model: 'claude-haiku-5-5', worker: 'haiku_box_001' };
  expect(await readLedger(db)).toEqual([
    {
      ...names,
      rework,
      day: '2026-11-20',
      nano: 110_000,
      listNano: 0,
      calls: 0,
      tasks: 0,
      usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 },
    },
    {
      ...names,
      rework,
      day: '2026-11-21',
      nano: 220_000,
      listNano: 0,
      calls: 0,
      tasks: 0,
      usage: { input: 0, cache_write: 0, cache_read: 9, output: 0 },
    },
  ]);
});

it('reads from a day on', async () => {
  const { redis, keys, db } = test;
  await redis.sadd(keys.ledgerDays, '2026-11-20', '2026-11-21');
  for (const day of ['2026-11-20', '2026-11-21']) await redis.hset(keys.ledger(day), 's||||w|nano', 1);
  expect((await readLedger(db, '2026-11-21')).map(({ day }) => day)).toEqual(['2026-11-21']);
});

it('reads an empty ledger as nothing spent', async () => {
  expect(await readLedger(test.db)).toEqual([]);
});
