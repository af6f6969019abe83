import { expect, test } from 'vitest';
import type { Usage } from '../../../queues/usage.ts';
import { BudgetReachedError, ModelCoolingError, RateLimitedError } from '../../../src/errors.ts';
import { PaidCalls, type CallTerms, type PaidCallsParts } from '../../../src/ledger/calls/paid-calls.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { createPacer } from '../../../src/pacing/pacer.ts';
import type { Permit, RunPace } from '../../../src/pacing/types.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

interface Reply {
  text: string;
  usage: Usage;
}

const redis = useRedis();
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 200 };
const NOTE = { log: 'a turn', progress: null };
const entry = catalog.find('claude-haiku-5-5', new Date());
const yes = async (): Promise<Reply> => ({ text: 'yes', usage: USAGE });

function openCalls(pace?: RunPace): PaidCalls<Reply> {
  const identity: PaidCallsParts['identity'] = {
    jobId: 'job-1',
    token: '',
    attempt: 0,
    digest: 'as-asked',
    findingId: 'finding_job-1',
    session: 'today',
    batch: null,
    missionId: null,
    budgetNanoUsd: null,
  };
  const ledger = createTurnLedger({ db: redis.db, workerId: 'box-1' });
  return new PaidCalls({ ledger, identity, signal: new AbortController().signal, isDraining: () => false, pace });
}

function termsOf(turn: number): CallTerms {
  return { turn, payer: { entry, free: false }, bound: { inputTokensBound: 1_000, maxTokens: 500 } };
}

function refusal(retryAfterMs: number): RateLimitedError {
  const error = new RateLimitedError(entry.id, retryAfterMs, '429 rate_limit_error');
  error.billed = 'no';
  return error;
}

/** A pace whose answer the test gives. `ends`: how the calls ended. */
function stubPace(admit: RunPace['admit']): { pace: RunPace; ends: string[] } {
  const ends: string[] = [];
  const pace: RunPace = {
    admitNow: () => null,
    admit,
    note: async () => undefined,
    watch: (model) => model,
    leave: () => undefined,
  };
  return { pace, ends };
}

function permitInto(ends: string[]): Permit {
  return {
    onLimits: () => undefined,
    ended: ({ output }) => void ends.push(`ended ${output}`),
    refused: (ms) => void ends.push(`refused ${ms}`),
    failed: (isFree) => void ends.push(isFree ? 'failed free' : 'failed'),
    giveBack: () => void ends.push('given back'),
  };
}

test('a call that a limit refuses waits without reserved money, and is then made again', async () => {
  const pacer = createPacer({ db: redis.db, limitKeyOf: () => 'test', log: console });
  redis.cleanup(() => pacer.close());
  const notes: string[] = [];
  const calls = openCalls(pacer.enter({ isCounted: true, note: async (line) => notes.push(line) }));
  let sent = 0;
  const made = calls.make(termsOf(0), async () => {
    sent += 1;
    if (sent === 1) throw refusal(1_000);
    return yes();
  });
  const counters = async () => redis.redis.hgetall(redis.keys.counters);
  await waitUntil(async () => (await counters())['waits_rate_limit'] === '1', { what: 'the refusal' });
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, openReservations: 0 });

  expect(await made).toMatchObject({ kind: 'reply', reply: { text: 'yes' } });
  expect(sent).toBe(2);
  expect(notes.join('\n')).toMatch(/waits: 429/);
});

test('a refusal for more than a minute ends the run', async () => {
  const { pace, ends } = stubPace(async () => permitInto(ends));
  await expect(openCalls(pace).make(termsOf(0), async () => Promise.reject(refusal(61_000)))).rejects.toThrow('429');
  expect(ends).toEqual(['refused 61000']);
});

test('the reply of an earlier run needs no permit, and the ledger is read while the call waits', async () => {
  const first = openCalls();
  const paid = await first.make(termsOf(0), yes);
  if (paid.kind === 'reply') await first.store(paid, NOTE);
  const { pace } = stubPace(async (_ask, { isNeeded }) => {
    expect(await isNeeded?.()).toBe(false);
    return null;
  });

  const again = await openCalls(pace).make(termsOf(0), async () => Promise.reject(new Error('paid twice')));

  expect(again).toMatchObject({ kind: 'reply', booking: null });
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, uncertainCalls: 0, reserved: 0 });
});

test('a permit is given back where the ledger refuses the call', async () => {
  await setBudget(redis.db, 0, null);
  const { pace, ends } = stubPace(async () => permitInto(ends));
  await expect(openCalls(pace).make(termsOf(0), yes)).rejects.toBeInstanceOf(BudgetReachedError);
  expect(ends).toEqual(['given back']);
});

test('what the tools did is stored before a run that waits too long leaves its slot', async () => {
  const { pace, ends } = stubPace(async ({ begun }) => {
    if (begun) throw new ModelCoolingError(entry.id, 30_000, 'used up');
    return permitInto(ends);
  });
  const calls = openCalls(pace);
  const paid = await calls.make(termsOf(0), yes);
  if (paid.kind === 'reply') await calls.store(paid, NOTE);
  calls.addToolResults(0, '["done"]');
  await expect(calls.make(termsOf(1), yes)).rejects.toBeInstanceOf(ModelCoolingError);

  const next = openCalls();
  await next.make(termsOf(0), yes);
  expect(next.storedToolResults(0)).toBe('["done"]');
  expect(ends).toEqual(['ended 200']);
});
