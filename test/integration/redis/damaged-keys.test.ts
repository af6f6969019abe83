import { afterEach, expect, test } from 'vitest';
import type { Keys } from '../../../src/redis/keys.ts';
import { readDamagedKeys } from '../../../src/swarm/damage/damaged-keys.ts';
import { runDoctor } from '../../../src/doctor/run-doctor.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const NAME = 'held';

type Damage = (key: string) => Promise<unknown>;
const stream: Damage = (key) => redis.redis.xadd(key, '*', 'a', 'b');
const list: Damage = (key) => redis.redis.rpush(key, 'x');
const field =
  (name: string): Damage =>
  (key) =>
    redis.redis.hset(key, name, 'no number');

const today = (): string => redis.db.clock.date().toISOString().slice(0, 10);
const SHARED: [what: string, toKey: (keys: Keys) => string, damage: Damage][] = [
  ['the index', ({ index }) => index, stream],
  ['the reservations', ({ reservations }) => reservations, list],
  ['the counters', ({ counters }) => counters, stream],
  ['a counter', ({ counters }) => counters, field('halts')],
  ['the events', ({ events }) => events, list],
  ['what is cancelled', ({ cancelled }) => cancelled, list],
  ['the models in use', ({ modelsInUse }) => modelsInUse, list],
  ['the days of the ledger', ({ ledgerDays }) => ledgerDays, stream],
  ['the ledger of a day', ({ ledger }) => ledger(today()), list],
  ['the money of a day', ({ spend }) => spend(`day:${today()}`), list],
  ['an amount of a day', ({ spend }) => spend(`day:${today()}`), field('settled')],
  ['the limit of a day', ({ budget }) => budget, field('day')],
  ['the totals of a session', (keys) => keys.sessionTotals(NAME), list],
  ['the index of a session', (keys) => keys.indexBySession(NAME), list],
  ['what is parked', ({ parked }) => parked, list],
  ['the hosts', ({ treeHosts }) => treeHosts, list],
  ['the missions', ({ missions }) => missions, list],
  ['the waits', ({ waits }) => waits, list],
];

afterEach(async () => {
  await redis.redis.del(redis.keys.session);
});

test.each(SHARED)(
  '%s: no task fails, the status names the key, and all is done once it is mended',
  async (_, toKey, damage) => {
    const { redis: client, keys, db } = redis;
    const fleet = await useFleet(redis, {});
    await client.hset(keys.session, { name: NAME, explicit: '1', startedAt: db.clock.date().toISOString() });
    await fleet.startHaiku(createScriptedModel(() => 'tea'));
    const key = toKey(keys);
    await client.del(key);
    await damage(key);
    const task = await fleet.tasks.add({ description: 'Say tea' });
    const ends = task.finding({ timeoutMs: 20_000 });
    void ends.catch(() => undefined);
    await expect
      .poll(async () => (await fleet.status()).halt !== null || (await fleet.queue.getCompletedCount()) > 0, {
        timeout: 10_000,
      })
      .toBe(true);
    expect(await fleet.queue.getFailedCount()).toBe(0);
    const { halt, foreignKeys } = await fleet.status();
    expect(foreignKeys.map((one) => one.key)).toContainEqual(expect.stringContaining(key));
    if (halt !== null) expect(halt).toMatchObject({ reason: 'damaged-key', detail: expect.stringContaining(key) });

    const [damaged] = await readDamagedKeys(db, NAME);
    const [, command = '', ...args] = (damaged?.command ?? '').replaceAll("'", '').split(' ');
    await client.call(command, ...args);
    expect(await readDamagedKeys(db, NAME)).toEqual([]);
    if (halt !== null) await fleet.halt.resume();
    expect(await ends).toMatchObject({ result: 'tea' });
  },
);

test('doctor is red, and a command that needs the key names it', async () => {
  await stream(redis.keys.session);
  const fleet = await useFleet(redis, {});
  await expect(fleet.tasks.add({ description: 'Say tea' })).rejects.toThrow('is damaged; fleet status names it');
  const groups = await runDoctor(swarmEnvironment(redis), { live: false });
  const results = groups.flatMap((group) => group.results);
  expect(results).toContainEqual(
    expect.objectContaining({ ok: false, seen: expect.stringContaining(redis.keys.session) }),
  );
});

test.each([
  ['its turns', (keys: Keys, id: string) => keys.turns(id), list],
  ['its budget', (keys: Keys, id: string) => keys.spend(`task:${id}`), list],
  ['the failures of its batch', (keys: Keys) => keys.indexByBatch('odd'), list],
  ['the money of its batch', (keys: Keys) => keys.spend('batch:odd'), field('limit')],
] satisfies [string, (keys: Keys, id: string) => string, Damage][])(
  'a job fails with its reason with damage in %s, and stops no other',
  async (_, toKey, damage) => {
    const fleet = await useFleet(redis, {});
    const key = toKey(redis.keys, 'odd-1');
    await damage(key);
    await fleet.queue.add('task', { description: 'Say tea', batch: 'odd', budget_usd: 1 }, { jobId: 'odd-1' });
    await fleet.startHaiku(createScriptedModel(() => 'tea'));
    const other = await fleet.tasks.add({ description: 'Say tea' });
    expect(await other.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
    expect((await fleet.until('odd-1', 'failed')).failedReason).toContain(key);
    expect((await fleet.status()).halt).toBeNull();
  },
);
