import { expect, it } from 'vitest';
import { readBudget, setBudget } from '../../../src/ledger/budget.ts';
import { readLedger, readMissionLedger } from '../../../src/ledger/report/report.ts';
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
  const none = {
    client: null,
    shard: null,
    rule: null,
    route: null,
    archive: { calls: 0, costNano: 0, usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 } },
    unmetered: { tasks: 0, inputTokens: 0, outputTokens: 0, costNano: 0 },
  };
  expect(await readLedger(db)).toEqual([
    {
      ...names,
      ...none,
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
      ...none,
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

it('reads one mission of a day on which there were many, and no other that its name would fit', async () => {
  const { redis, keys, db } = test;
  const day = keys.ledger('2026-11-21');
  await redis.sadd(keys.ledgerDays, '2026-11-21');
  for (const mission of ['m-1', 'm-10', 'xm-1', 'm*', '']) {
    await redis.hset(day, `s||${mission}|claude-haiku-5-5|w|nano`, 5, `s|m-1|${mission}|gemini|w|c||calls`, 2);
  }
  const rest = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, i) => [`s||other-${i}|claude-haiku-5-5|w|nano`, 1]),
  );
  await redis.hset(day, rest);
  for (const id of ['m-1', 'm*', 'none']) {
    const all = (await readLedger(db)).filter(({ mission }) => mission === id);
    const own = await readMissionLedger(db, { id });
    expect(own).toHaveLength(id === 'none' ? 0 : 2);
    expect(new Set(own)).toEqual(new Set(all));
  }
  expect(await readMissionLedger(db, { id: 'm-1', since: '2026-11-22' })).toEqual([]);
});

it.each([1_000_000, 9_000_000])('reads back a budget of $%i that a person may set', async (usd) => {
  for (const scope of [null, { batch: 'large' }]) {
    await setBudget(test.db, usd, scope);
    expect((await readBudget(test.db, scope)).limit).toBe(usd * 1e9);
  }
  await test.redis.hset(test.keys.budget, 'day', '9007199254740993'); // no whole number that a program could hold
  await expect(readBudget(test.db, null)).rejects.toThrow('expected a whole number');
});
