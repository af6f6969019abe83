import { expect, it } from 'vitest';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { BeginAnswer } from '../../../src/ledger/types.ts';
import { readBooks } from '../../support/redis/books.ts';
import { toTestFinding } from '../../support/redis/test-finding.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const NOTE = { log: '', progress: null };
const USAGE = { input: 10, cache_write: 0, cache_read: 0, output: 20 };
const TOTALS = { nanoUsd: 500, usage: USAGE, calls: 1 };
const task = { ...toTestIdentity('job-1'), model: 'claude-haiku-5-5', costVendor: 'haiku' as const };
const finding = toTestFinding(task.findingId);
const ledger = () => createTurnLedger({ db: redis.db, workerId: 'w' });

function toReservation(answer: BeginAnswer): string {
  if (answer.kind !== 'reserved') throw new Error(`expected a reservation, got ${answer.kind}`);
  return answer.reservation;
}

/** Two runs of one job, each with a call out: the second run has made the call of the first uncertain. */
async function beginTwice(): Promise<{ first: string; second: string }> {
  const first = toReservation(await ledger().begin(task, { turn: 0, worstNanoUsd: 700, first: true }));
  expect(await ledger().begin(task, { turn: 0, worstNanoUsd: 700, first: true })).toMatchObject({ kind: 'replay' });
  const second = toReservation(await ledger().begin(task, { turn: 0, worstNanoUsd: 600, first: false }));
  expect(await readBooks(redis)).toMatchObject({ reserved: 600, uncertain: 700 });
  return { first, second };
}

async function settle(reservation: string): Promise<string> {
  return ledger().settle(task, { epoch: '0', turn: 0 }, { reservation, nanoUsd: 500, usage: USAGE }, {}, TOTALS, NOTE);
}

it('leaves no call open that is out while the job ends', async () => {
  const { first, second } = await beginTwice();
  expect(await settle(first)).toBe('stored');
  expect(await readBooks(redis)).toMatchObject({ reserved: 600, uncertain: 0, settled: 500 });
  expect(await redis.redis.hget(redis.keys.turns('job-1'), 'reservation')).toBe(second); // the late reply was not its own
  expect(await ledger().finish(task, finding, null, NOTE)).toBe('recorded');
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: 600, settled: 500 });
});

it('closes the call that a reply came before, at the next call of the job', async () => {
  const { first } = await beginTwice();
  await settle(first);
  await ledger().begin(task, { turn: 1, worstNanoUsd: 300, first: false });
  expect(await readBooks(redis)).toMatchObject({ reserved: 300, uncertain: 600, settled: 500 });
});

it('reserves nothing for a request that comes again after its reply is stored', async () => {
  await settle(toReservation(await ledger().begin(task, { turn: 0, worstNanoUsd: 700, first: true })));
  expect(await ledger().begin(task, { turn: 0, worstNanoUsd: 700, first: false })).toMatchObject({ kind: 'replay' });
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: 0, settled: 500 });
});

it('reserves nothing for a request that comes after the finding is recorded', async () => {
  await ledger().finish(task, finding, null, NOTE);
  expect(await ledger().begin(task, { turn: 1, worstNanoUsd: 700, first: false })).toMatchObject({ kind: 'done' });
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: 0 });
});
