import { expect, it } from 'vitest';
import type { Usage } from '../../../queues/usage.ts';
import { FleetError, type Billed } from '../../../src/errors.ts';
import { PaidCalls } from '../../../src/ledger/calls/paid-calls.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TurnLedger } from '../../../src/ledger/types.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { costNanoUsd, mostNanoUsd, worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { readBooks } from '../../support/redis/books.ts';
import { loseCall, toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

const redis = useRedis();
const NOTE = { log: '', progress: null };
const USAGE = { input: 10, cache_write: 0, cache_read: 8_000, output: 20 };
const TOTALS = { nanoUsd: 0, usage: USAGE, calls: 1 };
const entry = catalog.find('claude-haiku-5-5', new Date());
const bound = { inputTokensBound: 10_000, maxTokens: 500 };
const WORST = worstCaseNanoUsd(entry, bound);
const MOST = mostNanoUsd(entry, bound, USAGE);
const COST = costNanoUsd(entry, USAGE);

async function reserve(missionId: string | null = null) {
  const task = { ...toTestIdentity('job-1'), missionId, model: entry.id, costVendor: 'haiku' as const };
  const ledger = createTurnLedger({ db: redis.db, workerId: 'w' });
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: 700, first: true });
  if (begun.kind !== 'reserved') throw new Error(`expected a reservation, got ${begun.kind}`);
  return { task, ledger, reservation: begun.reservation };
}

it('holds less of every budget, and leaves less uncertain, once the prompt is reported', async () => {
  const { ledger, task, reservation } = await reserve('mission-a');
  await ledger.noteInput(reservation, 300);
  expect(await readBooks(redis)).toMatchObject({ reserved: 300, uncertain: 0 });
  await ledger.closeReservation(task, reservation, 'uncertain');
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: 300, uncertainCalls: 1 });
  expect(await redis.redis.hgetall(redis.keys.spend('mission:mission-a'))).toEqual({ reserved: '0', uncertain: '300' });
  expect(await readUncertain(redis.db)).toMatchObject([{ nanoUsd: 300, model: entry.id, reported: null }]);
});

it('never holds more than was reserved', async () => {
  const { ledger, reservation } = await reserve();
  await ledger.noteInput(reservation, 900);
  expect(await readBooks(redis)).toMatchObject({ reserved: 700 });
});

it('changes nothing once the call is settled or released', async () => {
  const { ledger, task, reservation } = await reserve();
  await ledger.settle(task, { epoch: '0', turn: 0 }, { reservation, nanoUsd: 500, usage: USAGE }, {}, TOTALS, NOTE);
  const before = await readBooks(redis);
  await ledger.noteInput(reservation, 300);
  expect(await readBooks(redis)).toEqual(before);
});

it('lowers what another process made uncertain, and the late reply is booked at its cost', async () => {
  const { ledger, task, reservation } = await loseCall(redis);
  await ledger.noteInput(reservation, 300);
  expect(await readBooks(redis)).toMatchObject({ uncertain: 300, uncertainCalls: 1 });
  await ledger.settle(task, { epoch: '0', turn: 0 }, { reservation, nanoUsd: 250, usage: USAGE }, {}, TOTALS, NOTE);
  expect(await readBooks(redis)).toMatchObject({ settled: 250, uncertain: 0, uncertainCalls: 0 });
});

it('reads the reservation of an older version, and leaves the rest of a broken stream alone', async () => {
  const { keys, db } = redis;
  const ledger = createTurnLedger({ db, workerId: 'w' });
  const day = keys.spend('day:2026-11-20');
  await redis.redis.hset(day, { reserved: 700, uncertain: 700 });
  await redis.redis.hset(keys.reservations, 'old', `700|1|${day}`);
  await redis.redis.hset(keys.uncertain, 'broken', `700|1|+200,1,1,1,1|${day}`);
  await ledger.noteInput('old', 300);
  await ledger.noteInput('broken', 300);
  expect(await redis.redis.hgetall(day)).toEqual({ reserved: '300', uncertain: '700' });
});

function openCalls(ledger: TurnLedger): PaidCalls<{ usage: Usage }> {
  const signal = new AbortController().signal;
  return new PaidCalls({ ledger, identity: toTestIdentity('job-1'), signal, isDraining: () => false });
}

const terms = { turn: 0, payer: { entry, free: false }, bound };

it('notes what a call of two seconds has reported, and books its whole cost', async () => {
  const calls = openCalls(createTurnLedger({ db: redis.db, workerId: 'w' }));
  let answer: (reply: { usage: Usage }) => void = () => undefined;
  const paid = calls.make(terms, (onInput) => {
    onInput({ ...USAGE, output: 1 });
    return new Promise((resolve) => (answer = resolve));
  });
  await waitUntil(async () => (await readBooks(redis)).reserved === MOST, { what: 'the lowered reservation' });
  answer({ usage: USAGE });
  const made = await paid;
  if (made.kind === 'reply') await calls.store(made, NOTE);
  expect(await readBooks(redis)).toMatchObject({ settled: COST, reserved: 0, uncertain: 0, openReservations: 0 });
});

it('notes nothing of a short call', async () => {
  const ledger = createTurnLedger({ db: redis.db, workerId: 'w' });
  let notes = 0;
  const counting = { ...ledger, noteInput: async () => void (notes += 1) };
  await openCalls(counting).make(terms, async (onInput) => (onInput(USAGE), { usage: USAGE }));
  expect(notes).toBe(0);
});

it('leaves only the unreported tokens of a broken stream uncertain', async () => {
  const billed: Billed = { reported: USAGE };
  const error = Object.assign(new FleetError('cut off'), { billed });
  const calls = openCalls(createTurnLedger({ db: redis.db, workerId: 'w' }));
  await expect(calls.make(terms, () => Promise.reject(error))).rejects.toThrow('cut off');
  expect(MOST).toBeLessThan(WORST);
  expect(await readBooks(redis)).toMatchObject({ settled: COST, reserved: 0, uncertain: MOST - COST });
});
