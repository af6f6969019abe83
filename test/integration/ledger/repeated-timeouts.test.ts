import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Usage } from '../../../queues/usage.ts';
import { CallTimeoutError, TaskFailedError } from '../../../src/errors.ts';
import { PaidCalls } from '../../../src/ledger/calls/paid-calls.ts';
import type { PaidReply } from '../../../src/ledger/calls/reserved-call.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const catalog = createCatalog([]);

interface Reply {
  text: string;
  usage: Usage;
}

const redis = useRedis();
const entry = catalog.find('claude-haiku-5-5', new Date());
const SILENT_MS = 1;
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 200 };

/** Makes one call in a new run of a job. */
async function callOnce(jobId: string, turn: number | string, send: () => Promise<Reply>, attempt = 0): Promise<void> {
  const calls = new PaidCalls<Reply>({
    ledger: createTurnLedger({ db: redis.db, workerId: 'w' }),
    signal: new AbortController().signal,
    isDraining: () => false,
    identity: {
      jobId,
      token: '',
      attempt,
      digest: 'as-asked',
      findingId: `finding_${jobId}`,
      session: 'today',
      batch: null,
      missionId: null,
      budgetNanoUsd: null,
    },
  });
  const bound = { inputTokensBound: 1_000, maxTokens: 500 };
  const paid = await calls.make({ turn, payer: { entry, free: false }, bound }, send);
  await calls.store(paid as PaidReply<Reply>, { log: 'a turn', progress: null });
}

/** @returns what a call ends with that reaches this time limit */
const timeOut = (limit: 'idle' | 'total', turn: number | string = 0, attempt = 0, jobId = 'slow'): Promise<unknown> =>
  callOnce(
    jobId,
    turn,
    async () => {
      const error = new CallTimeoutError(entry.id, limit, 'too slow', {
        silentMs: limit === 'idle' ? SILENT_MS : 0,
      });
      throw Object.assign(error, { billed: 'unknown' });
    },
    attempt,
  ).then(
    () => expect.fail('the call went well'),
    (thrown: unknown) => thrown,
  );

let others = 0;
/** @param meanwhile what happens between the begin of that call and its answer */
const answerAnother = (meanwhile?: () => Promise<void>): Promise<void> =>
  callOnce(`another-${(others += 1)}`, 0, async () => {
    await meanwhile?.();
    return { text: 'yes', usage: USAGE };
  });

/** A call falls silent that begins after the others. */
async function fallSilentLater(): Promise<void> {
  await sleep(5 * SILENT_MS);
  expect(await timeOut('idle')).toBeInstanceOf(CallTimeoutError);
}

test('a call that is not whole in time twice has failed, answers to others or not', async () => {
  expect(await timeOut('total')).toBeInstanceOf(CallTimeoutError);
  const second = await timeOut('total');
  expect(second).toBeInstanceOf(TaskFailedError);
  expect(second).toMatchObject({ reason: 'timeout', message: expect.stringContaining('FLEET_CALL_TIMEOUT_MS') });
  expect((await readBooks(redis)).uncertainCalls).toBe(2);
});

test('a silent call has failed the second time only if the model answered another call in between', async () => {
  expect(await timeOut('idle')).toBeInstanceOf(CallTimeoutError);
  expect(await timeOut('idle')).toBeInstanceOf(CallTimeoutError);
  await answerAnother();
  expect(await timeOut('idle')).toMatchObject({
    name: 'TaskFailedError',
    reason: 'timeout',
    message: expect.stringContaining('FLEET_CALL_IDLE_MS'),
  });
});

test('an answer to a call that began before the silence does not interrupt it', async () => {
  await answerAnother(fallSilentLater);
  expect(await redis.redis.exists(redis.keys.outage(entry.id))).toBe(1);
  await fallSilentLater();
  await answerAnother();
  expect(await redis.redis.exists(redis.keys.outage(entry.id))).toBe(0);
  expect(await timeOut('idle')).toMatchObject({ reason: 'timeout' });
});

test('failures in a row of which the version before noted only the count end with any answer', async () => {
  await redis.redis.set(redis.keys.outage(entry.id), 3);
  await answerAnother();
  expect(await redis.redis.exists(redis.keys.outage(entry.id))).toBe(0);
  await redis.redis.set(redis.keys.outage(entry.id), 3);
  await answerAnother(fallSilentLater);
  expect(await redis.redis.exists(redis.keys.outage(entry.id))).toBe(1);
});

test('silence that several calls share is the fault of none, whenever it comes again', async () => {
  const idle = (jobId: string): Promise<unknown> => timeOut('idle', 0, 0, jobId);
  for (const round of [1, 2, 3]) {
    for (const jobId of ['slow', 'b', 'c'])
      expect(await idle(jobId), `round ${round}`).toBeInstanceOf(CallTimeoutError);
    await answerAnother();
  }
  expect(await idle('b')).toBeInstanceOf(CallTimeoutError); // alone for the first time
  await answerAnother();
  expect(await idle('b')).toMatchObject({ reason: 'timeout' });
});

test('another turn, another limit or another attempt is another call', async () => {
  expect(await timeOut('total', 0)).toBeInstanceOf(CallTimeoutError);
  await callOnce('slow', 0, async () => ({ text: 'yes', usage: USAGE }));
  expect(await timeOut('total', 1)).toBeInstanceOf(CallTimeoutError);
  await answerAnother();
  expect(await timeOut('idle', 1)).toBeInstanceOf(CallTimeoutError);
  expect(await timeOut('total', 1)).toBeInstanceOf(CallTimeoutError);
  await redis.redis.hset(redis.keys.turns('slow'), { cause: 'provider', cause_attempt: 0 }); // it failed, and is retried
  expect(await timeOut('total', 1, 1)).toBeInstanceOf(CallTimeoutError);
});
