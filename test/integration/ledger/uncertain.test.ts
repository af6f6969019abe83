import { describe, expect, it } from 'vitest';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { readBudget } from '../../../src/ledger/budget.ts';
import { readUncertain, type UncertainCall } from '../../../src/ledger/uncertain/list.ts';
import { readSettlements, settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { readBooks } from '../../support/redis/books.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 20 };
const NOTE = { log: '', progress: null };
const by = 'ada@box';

async function readOne(): Promise<UncertainCall> {
  const calls = await readUncertain(redis.db);
  const [call] = calls;
  if (call === undefined || calls.length > 1) throw new Error(`expected one uncertain call, got ${calls.length}`);
  return call;
}

it('lists a call with its job, model, budgets and worst case', async () => {
  const { reservation } = await loseCall(redis, { batch: '50%', missionId: 'mission-a' });
  expect(await readOne()).toMatchObject({
    id: reservation,
    name: reservation.slice(-8),
    jobId: 'job-1',
    turn: '0',
    workerId: 'w',
    model: 'claude-haiku-5-5',
    session: 'today',
    vendor: 'haiku',
    nanoUsd: 700,
    reported: null,
    budgets: [
      { scope: 'batch', name: '50%' },
      { scope: 'mission', name: 'mission-a' },
    ],
  });
});

describe('a call that a person settles', () => {
  it('as unpaid counts against no budget any more, and leaves a record', async () => {
    await loseCall(redis, { missionId: 'mission-a' });
    expect(await settleUncertain(redis.db, await readOne(), { nanoUsd: 0, by, why: 'not on the bill' })).toBe(true);
    expect(await readBooks(redis)).toMatchObject({ settled: 0, uncertain: 0, uncertainCalls: 0, ledgerCalls: 0 });
    expect(await readBudget(redis.db, { mission: 'mission-a' }, new Date())).toMatchObject({ uncertain: 0 });
    expect(await readUncertain(redis.db)).toEqual([]);
    expect(await readSettlements(redis.db, 10)).toMatchObject([
      { job: 'job-1', nano: 0, uncertain_nano: 700, by, why: 'not on the bill' },
    ]);
  });

  it('as paid is booked at its worst case, to the day on which it was made', async () => {
    const at = new Date('2026-11-20T12:00:00Z');
    await loseCall(redis, { at, missionId: 'mission-a', batch: 'nightly' });
    await settleUncertain(redis.db, await readOne(), { nanoUsd: 700, by, why: 'on the bill' });
    expect(await readBudget(redis.db, null, at)).toMatchObject({ settled: 700, uncertain: 0 });
    expect(await readBudget(redis.db, { mission: 'mission-a' }, at)).toMatchObject({ settled: 700, uncertain: 0 });
    expect(await readLedger(redis.db)).toMatchObject([
      { day: '2026-11-20', session: 'today', batch: 'nightly', mission: 'mission-a', worker: 'w', nano: 700, calls: 1 },
    ]);
    expect(await readBooks(redis)).toMatchObject({ costHaiku: 700 });
  });

  it('is told in the log of its job', async () => {
    const queue = await openBareQueue(redis, 'tasks');
    await queue.add('task', { description: 'Say it' }, { jobId: 'job-1' });
    await loseCall(redis);
    await settleUncertain(redis.db, await readOne(), { nanoUsd: 700, by, why: 'on the bill' });
    const { logs } = await queue.getJobLogs('job-1');
    expect(logs.join('\n')).toContain('uncertain cost of turn 0 is settled at $0.000001: on the bill (ada@box)');
  });

  it('is settled once, also where two persons do', async () => {
    await loseCall(redis);
    const call = await readOne();
    const settle = (): Promise<boolean> => settleUncertain(redis.db, call, { nanoUsd: 700, by, why: 'on the bill' });
    expect([await settle(), await settle()]).toEqual([true, false]);
    expect(await readBooks(redis)).toMatchObject({ settled: 700, ledgerCalls: 1 });
  });

  it('is not booked again where its reply comes after that', async () => {
    const { task, ledger, reservation } = await loseCall(redis);
    await settleUncertain(redis.db, await readOne(), { nanoUsd: 700, by, why: 'on the bill' });
    const totals = { nanoUsd: 0, usage: USAGE, calls: 1 };
    await ledger.settle(task, { epoch: '0', turn: 0 }, { reservation, nanoUsd: 500, usage: USAGE }, {}, totals, NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: 700, ledgerCalls: 1 });
  });

  it('keeps what its broken stream had reported', async () => {
    const { task, ledger, reservation } = await loseCall(redis);
    const part = { reservation, nanoUsd: 200, usage: USAGE, isBroken: true as const };
    await ledger.settle(task, { epoch: '0', turn: 0 }, part, null, { nanoUsd: 0, usage: USAGE, calls: 1 }, NOTE);
    const call = await readOne();
    expect(call).toMatchObject({ nanoUsd: 500, reported: { nanoUsd: 200, usage: USAGE }, session: 'today' });
    await settleUncertain(redis.db, call, { nanoUsd: 500, by, why: 'on the bill' });
    expect(await readBooks(redis)).toMatchObject({ settled: 700, uncertain: 0, uncertainCalls: 0, ledgerCalls: 1 });
  });

  it('is settled too where an older version lost it', async () => {
    const { keys } = redis;
    const day = keys.spend('day:2026-11-20');
    await redis.redis.hset(keys.uncertain, 'job-9#0:1#haiku_box_001#1', `700|1|${day}|${keys.spend('batch:nightly')}`);
    await redis.redis.hset(day, 'uncertain', 700);
    await redis.redis.hset(keys.counters, 'uncertain_calls', 1);
    const call = await readOne();
    expect(call).toMatchObject({ jobId: 'job-9', model: null, day: '2026-11-20', workerId: 'haiku_box_001' });
    await settleUncertain(redis.db, call, { nanoUsd: 700, by, why: 'on the bill' });
    expect(await readLedger(redis.db)).toMatchObject([{ day: '2026-11-20', batch: 'nightly', model: null, nano: 700 }]);
    expect(await readBooks(redis)).toMatchObject({ uncertainCalls: 0 });
  });
});

it('settles a call that an older version had reserved', async () => {
  const { task, ledger, reservation } = await loseCall(redis);
  const { keys } = redis;
  const day = keys.spend(`day:${toUtcDay(new Date())}`);
  await redis.redis.del(keys.uncertain, keys.counters);
  await redis.redis.hset(keys.reservations, reservation, `700|1|${day}`);
  await redis.redis.hset(day, 'reserved', 700, 'uncertain', 0);
  const totals = { nanoUsd: 500, usage: USAGE, calls: 1 };
  await ledger.settle(task, { epoch: '0', turn: 0 }, { reservation, nanoUsd: 500, usage: USAGE }, {}, totals, NOTE);
  expect(await readBooks(redis)).toMatchObject({ settled: 500, reserved: 0, uncertain: 0, ledgerCalls: 1 });
});
