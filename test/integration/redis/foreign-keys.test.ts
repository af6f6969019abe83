import { describe, expect, test } from 'vitest';
import { readHalt } from '../../../src/halt/halt.ts';
import { payOwed } from '../../../src/ledger/pay-owed.ts';
import { runDoctor } from '../../../src/doctor/run-doctor.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Stores a value of a type that no public key has, or a text that is of no use. */
const VALUES = {
  hash: (key) => redis.redis.hset(key, 'reason', 'stop'),
  list: (key) => redis.redis.rpush(key, 'x'),
  set: (key) => redis.redis.sadd(key, 'x'),
  'sorted set': (key) => redis.redis.zadd(key, 1, 'x'),
  stream: (key) => redis.redis.xadd(key, '*', 'a', 'b'),
  text: (key) => redis.redis.set(key, 'no JSON, no number'),
  'huge number': (key) => redis.redis.set(key, '9'.repeat(400)),
  'binary text': (key) => redis.redis.set(key, Buffer.from([0, 255, 254, 123, 34])),
} satisfies Record<string, (key: string) => Promise<unknown>>;
const KINDS = Object.entries(VALUES);

/** The public keys of the contract, but the halt. */
function publicKeys(): string[] {
  const { keys } = redis;
  return [
    keys.contextActive,
    keys.cost('haiku'),
    keys.cost('gemini'),
    keys.shardQuota(1),
    keys.shardStatus(1),
    keys.finding('other'),
    keys.workerStatus('other'),
    keys.workerTasks('other'),
    keys.query('other'),
    keys.response('other'),
  ];
}

const doctorLine = async (title: string) => {
  const groups = await runDoctor(swarmEnvironment(redis), { live: false });
  return groups.flatMap(({ results }) => results).find((result) => JSON.stringify(result).includes(title));
};

async function readSettled(): Promise<number> {
  const day = new Date(redis.db.clock.now()).toISOString().slice(0, 10);
  return Number(await redis.redis.hget(redis.keys.spend(`day:${day}`), 'settled'));
}

async function startFleet(): Promise<TestFleet> {
  const fleet = await useFleet(redis, { env: { GEMINI_API_KEY: 'k', GEMINI_TIER: 'free' } });
  await fleet.startHaiku(createScriptedModel(() => 'tea'));
  return fleet;
}

describe('a public key that holds what another program stored', () => {
  test.each(KINDS)('%s: no task fails, the books agree, and the status names the key', async (kind, store) => {
    for (const key of publicKeys()) await store(key);
    const fleet = await startFleet();
    const task = await fleet.tasks.add({ description: 'Say tea' });
    expect(await task.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
    const status = await fleet.status();
    const { contextActive, cost, shardQuota, shardStatus } = redis.keys;
    const named = status.foreignKeys.map(({ key }) => key);
    expect(named).toEqual(expect.arrayContaining([contextActive, shardQuota(1), shardStatus(1)]));
    // A session that begins takes away what is there, if it is a number.
    expect(named.includes(cost('haiku'))).toBe(kind !== 'huge number');
    expect(status.spend.haiku).toMatchObject({ externalNanoUsd: 0 });
    const settled = await readSettled();
    expect(status.spend.haiku.nanoUsd).toBe(settled);
    for (const key of publicKeys()) expect(await redis.redis.exists(key)).toBe(1);

    if (kind === 'huge number') return;
    await redis.redis.del(cost('haiku'));
    await payOwed(redis.db);
    await payOwed(redis.db);
    expect(Number(await redis.redis.get(cost('haiku'))) * 1e9).toBeCloseTo(settled, 0);
    expect((await fleet.status()).spend.haiku).toMatchObject({ nanoUsd: settled, externalNanoUsd: 0 });
  });

  test('doctor names it, with the command that removes it', async () => {
    await redis.redis.rpush(redis.keys.contextActive, 'x');
    expect(await doctorLine('context:active')).toMatchObject({ ok: false });
  });

  test('what was booked before is in the total again once the key is well', async () => {
    const fleet = await startFleet();
    const cost = redis.keys.cost('haiku');
    await (await fleet.tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 20_000 });
    await redis.redis.del(cost);
    await redis.redis.sadd(cost, 'x');
    await (await fleet.tasks.add({ description: 'Say tea again' })).finding({ timeoutMs: 20_000 });
    expect(await payOwed(redis.db)).toBe(0);
    await redis.redis.del(cost);
    expect(await payOwed(redis.db)).toBe(1);
    const settled = await readSettled();
    expect(Number(await redis.redis.get(cost)) * 1e9).toBeCloseTo(settled, 0);
  });
});

describe('a halt that another program stored', () => {
  test.each(KINDS)('%s: halts, is shown, fails no task, and a resume lifts it', async (kind, store) => {
    const fleet = await startFleet();
    await store(redis.keys.haltReason);
    const task = await fleet.tasks.add({ description: 'Say tea' });
    await expect.poll(() => fleet.queue.isPaused(), { timeout: 10_000 }).toBe(true);
    expect(await fleet.queue.getFailedCount()).toBe(0);
    const halt = (await fleet.status()).halt;
    expect(halt?.reason).toBe(kind === 'hash' ? 'stop' : 'unknown');
    if (!/text|number/.test(kind)) expect(halt?.detail).toContain('another program stored a ');
    expect(await fleet.halt.halt({ reason: 'person', step: '', by: 'me', detail: '' })).toBe(false);

    await fleet.halt.resume();
    expect(await readHalt(redis.db)).toBeNull();
    expect(await task.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
  });
});
