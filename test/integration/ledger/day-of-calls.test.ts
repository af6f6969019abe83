import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { readBudget } from '../../../src/ledger/budget.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { Booking, TaskIdentity, TurnLedger } from '../../../src/ledger/types.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const DAY_MS = 86_400_000;
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 20 };
const NOTE = { log: '', progress: null };

/** @param aheadMs how far the worker believes that Redis' clock is ahead of what it is */
function openLedger(aheadMs = 0): TurnLedger {
  const { db } = redis;
  const clock = { ...db.clock, now: () => db.clock.now() + aheadMs, date: () => new Date(db.clock.now() + aheadMs) };
  return createTurnLedger({ db: { ...db, clock }, workerId: 'w' });
}

const toTask = (jobId: string): TaskIdentity => ({
  ...toTestIdentity(jobId),
  model: 'claude-haiku-5-5',
  costVendor: 'haiku',
});

async function reserve(ledger: TurnLedger, jobId: string): Promise<Booking> {
  const begun = await ledger.begin(toTask(jobId), { turn: 0, worstNanoUsd: 700, first: true });
  if (begun.kind !== 'reserved') throw new Error(`expected a reservation, got ${begun.kind}`);
  return { reservation: begun.reservation, nanoUsd: 500, usage: USAGE };
}

/** As if the call had been reserved before midnight. */
async function toYesterday({ reservation }: Booking): Promise<void> {
  const { keys } = redis;
  const packed = (await redis.redis.hget(keys.reservations, reservation)) ?? '';
  await redis.redis.hset(keys.reservations, reservation, packed.replace(/day:[\d-]+/, `day:${yesterday()}`));
  await redis.redis.hincrby(keys.spend(`day:${today()}`), 'reserved', -700);
  await redis.redis.hincrby(keys.spend(`day:${yesterday()}`), 'reserved', 700);
}

const today = (): string => toUtcDay(new Date());
const yesterday = (): string => toUtcDay(new Date(Date.now() - DAY_MS));

async function readDays(): Promise<{ day: string; nano: number; calls: number; tasks: number }[]> {
  const entries = await readLedger(redis.db);
  return entries.map(({ day, nano, calls, tasks }) => ({ day, nano, calls, tasks }));
}

it('names each day as JavaScript does, over centuries', async () => {
  const lib = readFileSync(new URL('../../../src/redis/scripts/lib/clock.lua', import.meta.url), 'utf8');
  const instants = Array.from({ length: 3_000 }, (_, i) => i * 47 * DAY_MS + (i % 5) * 21_599_999);
  instants.push(
    Date.parse('2028-02-29T23:59:59.999Z'),
    Date.parse('2027-12-31T23:59:59.999Z'),
    Date.parse('2028-01-01'),
  );
  const script = `${lib}\nlocal days = {} for i, ms in ipairs(ARGV) do days[i] = day_of(tonumber(ms)) end return days`;
  expect(await redis.redis.eval(script, 0, ...instants)).toEqual(instants.map((ms) => toUtcDay(new Date(ms))));
});

it.each([-26 * 3_600_000, 130 * 60_000, 400 * DAY_MS])(
  'books to the day of Redis, whatever its worker takes for the time (%d ms)',
  async (aheadMs) => {
    const ledger = openLedger(aheadMs);
    const booking = await reserve(ledger, 'a');
    expect(await readBudget(redis.db, null)).toMatchObject({ reserved: 700 });
    const totals = { nanoUsd: 500, usage: USAGE, calls: 1 };
    await ledger.settle(toTask('a'), { epoch: '0', turn: 0 }, booking, {}, totals, NOTE);
    expect(await readBudget(redis.db, null)).toMatchObject({ settled: 500, reserved: 0 });
    expect(await readDays()).toEqual([{ day: today(), nano: 500, calls: 1, tasks: 0 }]);
  },
);

it('books a call that was reserved before midnight to the day before, in budget and ledger', async () => {
  const ledger = openLedger();
  const [before, after] = [await reserve(ledger, 'before'), await reserve(ledger, 'after')];
  await toYesterday(before);
  const finish = (jobId: string, booking: Booking): Promise<string> => {
    const task = toTask(jobId);
    const finding = { finding_id: task.findingId, job_id: jobId, topics: [] } as never;
    return ledger.finish(task, finding, booking, NOTE);
  };
  expect(await Promise.all([finish('before', before), finish('after', after)])).toEqual(['recorded', 'recorded']);
  const ofYesterday = new Date(Date.now() - DAY_MS);
  expect(await readBudget(redis.db, null, ofYesterday)).toMatchObject({ settled: 500, reserved: 0 });
  expect(await readBudget(redis.db, null)).toMatchObject({ settled: 500, reserved: 0 });
  expect(await readDays()).toEqual([
    { day: yesterday(), nano: 500, calls: 1, tasks: 0 },
    { day: today(), nano: 500, calls: 1, tasks: 2 }, // a task counts on the day on which its finding is stored
  ]);
});

it('is not misled by a session that is named like a day’s budget', async () => {
  const ledger = openLedger();
  const task = { ...toTask('a'), session: 'x:spend:day:2001-01-01' };
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: 700, first: true });
  if (begun.kind !== 'reserved') throw new Error(begun.kind);
  const booking = { reservation: begun.reservation, nanoUsd: 500, usage: USAGE };
  await ledger.settle(task, { epoch: '0', turn: 0 }, booking, {}, { nanoUsd: 500, usage: USAGE, calls: 1 }, NOTE);
  expect((await readDays()).map(({ day }) => day)).toEqual([today()]);
});
