import { expect, test } from 'vitest';
import { addClient, checkToken, findClient, listClients, removeClient } from '../../../src/clients/clients.ts';
import type { NewClient } from '../../../src/clients/types.ts';
import { createForgetting } from '../../../src/jobs/forget/forget.ts';
import { readBudget } from '../../../src/ledger/budget.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { readEverything } from '../../support/redis/read-everything.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const DAY_MS = 86_400_000;

const add = (name: string, more: Partial<NewClient> = {}) =>
  addClient(redis.db, { name, role: 'delegate', budgetUsd: 2, expires: null, ...more });

test('a token finds its client until it is removed, and Redis holds no part of it', async () => {
  const { client, token } = await add('alice', { expires: '7d' });
  expect(client).toMatchObject({ name: 'alice', role: 'delegate', budgetNanoUsd: 2_000_000_000 });
  expect(await findClient(redis.db, token)).toEqual(client);
  expect(await findClient(redis.db, ` ${token}\n`)).toEqual(client);
  expect(await readEverything(redis.redis)).not.toContain(token.slice(-64));

  await removeClient(redis.db, 'alice');
  expect(await checkToken(redis.db, token)).toMatchObject({ client: null, problem: expect.stringMatching(/removed/) });
  await expect(removeClient(redis.db, 'alice')).rejects.toThrow('client alice: there is none of this name');
});

test('a token that someone puts into a task, a question or a result is nowhere in Redis, and no model reads it', async () => {
  const { token } = await add('alice');
  const model = createScriptedModel(() => `It says ${token}`);
  const fleet = await useFleet(redis, { haiku: model });
  const description = `Use Bearer ${token} for it`;
  const task = await fleet.tasks.add({ description, data: { env: { FLEET_TOKEN: token } } });
  expect(await task.finding()).toMatchObject({ task: 'Use Bearer [redacted] for it', result: 'It says [redacted]' });
  await fleet.ask(`What is ${token}?`, { requester: token });
  await fleet.missions.add({ goal: `Find ${token}` });
  const secret = token.slice(-64);
  expect(JSON.stringify(model.calls)).not.toContain(secret);
  expect(await readEverything(redis.redis)).not.toContain(secret);
});

test('another token, a damaged record or a text that is none finds nobody', async () => {
  const { token } = await add('alice');
  const other = await add('bob');
  const forged = `fleet_alice_${other.token.slice(-64)}`;
  for (const text of [
    forged,
    token.slice(0, -1),
    `${token}0`,
    token.toUpperCase(),
    '',
    'fleet_alice_',
    'x'.repeat(9_999),
  ]) {
    expect(await findClient(redis.db, text), text).toBeNull();
  }
  await redis.redis.hset(redis.keys.clients, 'alice', '{"role":"operate"}');
  expect(await findClient(redis.db, token)).toBeNull();
  expect((await listClients(redis.db)).map(({ name }) => name)).toEqual(['bob']);
});

test('an expired token is refused with the reason, and a forged one learns nothing', async () => {
  const { token } = await add('alice', { expires: '1h' });
  const record = JSON.parse((await redis.redis.hget(redis.keys.clients, 'alice')) ?? '') as Record<string, string>;
  const past = new Date(redis.db.clock.now() - 1).toISOString();
  await redis.redis.hset(redis.keys.clients, 'alice', JSON.stringify({ ...record, expires_at: past }));
  expect((await checkToken(redis.db, token)).problem).toBe(
    `token of client alice: expired ${past}; fleet token rm alice, then fleet token add`,
  );
  expect((await checkToken(redis.db, `${token.slice(0, -64)}${'0'.repeat(64)}`)).problem).toMatch(/no client has it/);
  expect(await listClients(redis.db)).toMatchObject([{ name: 'alice', isExpired: true }]);
  await redis.redis.hset(redis.keys.clients, 'alice', JSON.stringify({ ...record, expires_at: 'soon' }));
  expect(await findClient(redis.db, token)).toBeNull();
});

test.each<[Partial<NewClient> & { name?: string }, RegExp]>([
  [{ name: 'two words' }, /client: expected no white space/],
  [{ role: 'READ' as never }, /role: expected read, delegate, operate, got "READ"; it is written read/],
  [{ role: 'admin' as never }, /got "admin"$/],
  [{ budgetUsd: 0 }, /budget: expected dollars above 0, got 0; a client that only reads/],
  [{ budgetUsd: 1e-12 }, /budget: expected at least 0\.000000001 dollars, got 1e-12/],
  [{ budgetUsd: -1 }, /budget: expected dollars above 0, got -1/],
  [{ budgetUsd: Number.NaN }, /budget: expected dollars, got NaN/],
  [{ budgetUsd: 1e9 }, /at most 1,000,000/],
  [{ budgetUsd: null }, /a client of role delegate needs one/],
  [{ expires: '1y' }, /expires: a year is no unit/],
])('refuses %j in one sentence, and adds nothing', async (wanted, rule) => {
  await expect(add('alice', wanted)).rejects.toThrow(rule);
  expect(await listClients(redis.db)).toEqual([]);
});

test('a name that is taken is refused, and its budget stays; after its removal what it spent counts on', async () => {
  await add('alice');
  await expect(add('alice', { budgetUsd: 9 })).rejects.toThrow('client alice: exists already; fleet token rm alice');
  expect((await readBudget(redis.db, { client: 'alice' })).limit).toBe(2_000_000_000);
  await redis.redis.hincrby(redis.keys.spend('client:alice'), 'settled', 700_000_000);
  await removeClient(redis.db, 'alice');
  await add('alice', { budgetUsd: 3 });
  expect(await listClients(redis.db)).toMatchObject([{ budgetNanoUsd: 3_000_000_000, settledNanoUsd: 700_000_000 }]);
});

test('the last use is noted, to the minute', async () => {
  const { token } = await add('alice');
  expect(await listClients(redis.db)).toMatchObject([{ lastUsedAt: null }]);
  await findClient(redis.db, token);
  const [first] = await listClients(redis.db);
  expect(Math.abs(Date.parse(first?.lastUsedAt ?? '') - redis.db.clock.now())).toBeLessThan(30_000);
  await findClient(redis.db, token);
  expect(await listClients(redis.db)).toEqual([first]);
});

test('the books of a client stay while it exists, and ninety days after its removal', async () => {
  await add('alice');
  const spend = redis.keys.spend('client:alice');
  const forget = createForgetting({ db: redis.db });
  await forget(redis.db.clock.now() + 400 * DAY_MS);
  expect(await redis.redis.ttl(spend)).toBe(-1);
  await removeClient(redis.db, 'alice');
  await forget(redis.db.clock.now());
  expect(await redis.redis.ttl(spend)).toBeGreaterThan((90 * DAY_MS) / 1_000 - 60);
  await redis.redis.hset(spend, 'reserved', 700); // a call is under way
  await forget(redis.db.clock.now());
  expect(await redis.redis.ttl(spend)).toBe(-1);
  await redis.redis.hset(spend, 'reserved', 0);
  await forget(redis.db.clock.now());
  expect(await redis.redis.ttl(spend)).toBeGreaterThan(0);
  await add('alice');
  await forget(redis.db.clock.now());
  expect(await redis.redis.ttl(spend)).toBe(-1);
});
