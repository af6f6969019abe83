import { expect, it } from 'vitest';
import { BudgetReachedError, ModelCoolingError, ProviderUnavailableError } from '../../../src/errors.ts';
import { promote } from '../../../src/jobs/wake/promote.ts';
import { endPauseForMoney } from '../../../src/jobs/outcomes/backoff.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { PaidCalls } from '../../../src/ledger/calls/paid-calls.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

const redis = useRedis();
const entry = catalog.find('claude-haiku-5-5', new Date());
const TASKS = 6;
const BOUND = { inputTokensBound: 1_000, maxTokens: 500 };
const WORST = worstCaseNanoUsd(entry, BOUND);

interface Reply {
  usage: { input: number; cache_write: number; cache_read: number; output: number };
}

/** One call of a job of its own. */
async function call(jobId: string, send: () => Promise<Reply>): Promise<unknown> {
  const calls = new PaidCalls<Reply>({
    ledger: createTurnLedger({ db: redis.db, workerId: 'w' }),
    identity: toTestIdentity(jobId),
    signal: new AbortController().signal,
    isDraining: () => false,
  });
  const paid = await calls.make({ turn: 0, payer: { entry, free: false }, bound: BOUND }, send);
  if (paid.kind === 'reply') await calls.store(paid, { log: '', progress: null });
  return paid;
}

function stalled(): Promise<Reply> {
  return Promise.reject(new ProviderUnavailableError(entry.id, true, 'nothing came'));
}

async function served(output: number): Promise<Reply> {
  return { usage: { input: 0, cache_write: 0, cache_read: 0, output } };
}

it('pauses the model, and does not halt, where uncertain cost fills the day’s budget', async () => {
  await setBudget(redis.db, (2.5 * WORST) / 1e9, null);
  for (const job of ['a', 'b']) await expect(call(job, stalled)).rejects.toBeInstanceOf(ProviderUnavailableError);
  const refused = call('c', () => served(1));
  await expect(refused).rejects.toBeInstanceOf(ModelCoolingError);
  await expect(refused).rejects.toThrow("uncertain cost fills the day's budget; fleet costs --uncertain");
  await expect(call('d', () => served(1))).rejects.toThrow('uncertain cost fills');
  expect(await readBooks(redis)).toMatchObject({ uncertain: 2 * WORST, reserved: 0 });

  const queue = await openBareQueue(redis, 'tasks');
  await redis.redis.hset(redis.keys.modelsInUse, entry.id, Date.now());
  const [first] = await readUncertain(redis.db);
  if (first === undefined) throw new Error('expected an uncertain call');
  await settleUncertain(redis.db, first, { nanoUsd: 0, by: 'ada', why: 'not on the bill' });
  await endPauseForMoney(redis.db, queue);
  expect(await call('c', () => served(1))).toMatchObject({ kind: 'reply' });
});

it('halts as before once four fifths of the budget are billed', async () => {
  const billed = 0.8 * 10 * WORST; // of ten
  await setBudget(redis.db, (10 * WORST) / 1e9, null);
  await call('a', () => served(Math.ceil(billed / entry.prices.output)));
  for (const job of ['b', 'c']) await expect(call(job, stalled)).rejects.toBeInstanceOf(ProviderUnavailableError);
  await expect(call('d', stalled)).rejects.toBeInstanceOf(BudgetReachedError);
});

it('halts as before where the call would not fit without the uncertain cost either', async () => {
  await setBudget(redis.db, (0.5 * WORST) / 1e9, null);
  await expect(call('a', () => served(1))).rejects.toBeInstanceOf(BudgetReachedError);
});

it('lets a fleet whose provider stalls go on by itself once it answers and the cost is known', async () => {
  const fleet = await useSimulatedFleet(redis, {
    slots: 4,
    env: { FLEET_CALL_IDLE_MS: '1000' },
    simulator: { faults: [{ kind: 'stall', afterEvents: 0 }] },
  });
  const { db, queues } = fleet.inner;
  for (let task = 0; task < TASKS; task += 1) await fleet.add(`Say ${task}`);
  const isStill = async (): Promise<boolean> => {
    const { uncertain, reserved } = await readBooks(redis);
    return uncertain > 0 && reserved === 0 && (await queues.tasks.getActiveCount()) === 0;
  };
  await waitUntil(isStill, { what: 'a fleet that stands still', timeoutMs: 30_000 });
  const { uncertain, uncertainCalls } = await readBooks(redis);
  await setBudget(db, (uncertain + uncertain / uncertainCalls / 2) / 1e9, null); // half a call has room
  await redis.redis.del(redis.keys.cooldown(entry.id)); // the provider's own pause is over
  await queues.tasks.removeRateLimitKey();
  const isPaused = async (): Promise<boolean> => {
    for (const job of await queues.tasks.getDelayed()) await promote(job); // no test waits for a delay
    return (await redis.redis.get(redis.keys.cooldown(entry.id))) === 'uncertain';
  };
  await waitUntil(isPaused, { what: 'the pause', timeoutMs: 30_000 });
  expect(await fleet.halt.read()).toBeNull();
  expect(await readBooks(redis)).toMatchObject({ uncertain, reserved: 0 });

  fleet.simulator.setFaults([]);
  for (const lost of await readUncertain(db)) {
    await settleUncertain(db, lost, { nanoUsd: 0, by: 'ada', why: 'the provider was down' });
  }
  await endPauseForMoney(db, queues.tasks);
  const isDone = async (): Promise<boolean> => {
    for (const job of await queues.tasks.getDelayed()) await promote(job);
    return (await queues.tasks.getCompletedCount()) === TASKS;
  };
  await waitUntil(isDone, { what: 'the end of all', timeoutMs: 60_000 });
  expect(await queues.tasks.getFailedCount()).toBe(0);
  expect(await fleet.halt.read()).toBeNull();
}, 90_000);
