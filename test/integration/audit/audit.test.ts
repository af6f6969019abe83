import { expect, test } from 'vitest';
import { actingAs, noteChange } from '../../../src/audit/note-change.ts';
import { readAuditPage } from '../../../src/audit/read-audit.ts';
import type { AuditEntry } from '../../../src/audit/types.ts';
import { UNFINISHED } from '../../../src/audit/with-audit.ts';
import { addClient } from '../../../src/clients/clients.ts';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
import { cancelSelected } from '../../../src/coordinator/control/cancel.ts';
import { changeBudget } from '../../../src/coordinator/control/budget.ts';
import type { Actor } from '../../../queues/owner.ts';
import type { Db } from '../../../src/redis/db.ts';
import { createNotifier } from '../../../src/swarm/notify.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';
import { retrySelected } from '../../../src/tasks/repair/retry-selected.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const ADA: Actor = { who: 'ada@box', from: 'cli', client: null };

const readAll = async (): Promise<AuditEntry[]> => (await readAuditPage(redis.db, {}, { limit: 100 })).entries;

async function take<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('what the fleet does by itself is no change of a person', async () => {
  const fleet = await useFleet(redis);
  const halt = createHaltSwitch(redis.db, Object.values(fleet.inner.queues));
  await halt.halt({ reason: 'budget', step: '', by: 'worker-1', detail: 'reached' });
  await changeBudget({ db: redis.db, queues: fleet.inner.queues }, 3, null);
  expect(await readAll()).toEqual([]);
  await createHaltSwitch(actingAs(redis.db, ADA), Object.values(fleet.inner.queues)).resume('ada');
  expect(await readAll()).toMatchObject([{ what: 'resume', who: 'ada@box', from: 'cli' }]);
});

test('pages and filters go from the newest to the oldest', async () => {
  const fleet = await useFleet(redis, { client: 'laptop' });
  for (const usd of ['1', '2', '3']) await fleet.budget.set(usd);
  await noteChange(actingAs(redis.db, ADA), { what: 'halt', after: { halt: 'x' } });
  const first = await readAuditPage(redis.db, {}, { limit: 3 });
  expect(first.entries.map(({ what, after }) => `${what} ${String(after?.['limit'] ?? '')}`)).toEqual([
    'halt ',
    'budget $3.0000',
    'budget $2.0000',
  ]);
  const rest = await readAuditPage(redis.db, {}, { limit: 3, cursor: first.cursor });
  expect(rest).toMatchObject({ entries: [{ after: { limit: '$1.0000' } }], cursor: null });

  const who = async (name: string) => (await take(fleet.audit({ who: name }))).length;
  expect([await who('ada'), await who('ada@box'), await who('laptop'), await who('box')]).toEqual([1, 1, 3, 0]);
  expect(await take(fleet.audit({ what: ['budget'], limit: 1 }))).toMatchObject([{ after: { limit: '$3.0000' } }]);
  expect(await take(fleet.audit({ since: redis.db.clock.now() + 60_000 }))).toEqual([]);
  expect(await take(fleet.audit({ since: redis.db.clock.now() - 60_000 }))).toHaveLength(4);
  expect(() => fleet.audit({ what: ['haltt'] })).toThrow('what: expected some of halt, resume');
  expect(() => fleet.audit({ what: 'halt' as never })).toThrow('what: expected an array of verbs, got string');
});

test('no secret and no long text is kept, and damage hides nothing else', async () => {
  const { token } = await addClient(actingAs(redis.db, ADA), {
    name: 'laptop',
    role: 'delegate',
    budgetUsd: 5,
    expires: null,
  });
  const fleet = await useFleet(redis);
  const key = `sk-${'x'.repeat(20)}`;
  await fleet.halt(`it shows ${token} and ${key}\n\u001B[2J ${'x'.repeat(9_000)}`);
  const { keys } = redis;
  await redis.redis.xadd(
    keys.audit,
    '*',
    'what',
    'from-the-future',
    'about',
    '{"x":{"y":1},"n":2}',
    'before',
    'no JSON',
  );
  const [future, halt] = await readAll();
  expect(future).toMatchObject({ what: 'from-the-future', about: { n: 2 }, before: null, after: null });
  const text = String(halt?.after?.['halt']);
  expect(text.length).toBeLessThanOrEqual(200);
  expect(text).toMatch(/^person: it shows \[redacted\] and \[redacted\] \[2J x+…$/);
  const stored = JSON.stringify(await redis.redis.xrange(keys.audit, '-', '+'));
  expect(stored).not.toContain(token.slice(-64));
  expect(stored).not.toContain('sk-');
});

test('the stream is bounded', async () => {
  const { redis: admin, keys } = redis;
  const chain = admin.pipeline();
  for (let n = 0; n < 12_000; n += 1) chain.xadd(keys.audit, '*', 'what', 'halt', 'who', 'a');
  await chain.exec();
  await noteChange(actingAs(redis.db, ADA), { what: 'resume' });
  expect(await admin.xlen(keys.audit)).toBeLessThan(10_200);
  expect((await readAuditPage(redis.db, { who: 'ada' }, { limit: 5 })).entries).toHaveLength(1);
});

test('a change that the audit cannot hold is made all the same, and the actor is told', async () => {
  const fleet = await useFleet(redis);
  await redis.redis.set(redis.keys.audit, 'of another program');
  const lost: string[] = [];
  const db: Db = actingAs(fleet.inner.db, {
    ...ADA,
    onLost: (problem, error) => lost.push(`${problem}: ${String(error)}`),
  });
  await changeBudget({ db, queues: fleet.inner.queues }, '7.50', null);
  expect(await redis.redis.hget(redis.keys.budget, 'day')).toBe('7500000000');
  expect(lost).toEqual([
    expect.stringMatching(/^the change \(budget\) is made, and could not be noted in the audit: .*WRONGTYPE/),
  ]);
  expect(await redis.redis.get(redis.keys.audit)).toBe('of another program');
});

/** A swarm whose process is killed when it notes the end of a change: that never comes. */
function toKilled(db: Db): { db: Db; isDead: () => boolean } {
  let notes = 0;
  const note: Db['scripts']['note-change'] = (...args) => {
    notes += 1;
    return notes === 1 ? db.scripts['note-change'](...args) : new Promise<never>(() => undefined);
  };
  return { db: { ...db, scripts: { ...db.scripts, 'note-change': note } }, isDead: () => notes === 2 };
}

test('a change whose process is killed half way leaves an entry, and one that ends leaves its own alone', async () => {
  const { inner, tasks, startHaiku } = await useFleet(redis);
  const { queues, config } = inner;
  for (const taskId of ['a', 'b', 'c']) await tasks.add({ description: 'Count.' }, { taskId });
  const ada = actingAs(inner.db, ADA);
  await cancelSelected({ db: inner.db, queues }, { ids: ['c'] });
  const halt = (db: Db) => createHaltSwitch(db, Object.values(queues));
  const retry = (db: Db) => {
    const notifier = createNotifier({ target: undefined, db });
    return retrySelected({ db, queues, notifier, configured: toConfigured(config) }, { ids: ['c'] }, { by: 'ada' });
  };
  const changes: [string, (db: Db) => Promise<unknown>][] = [
    ['cancel', (db) => cancelSelected({ db, queues }, { ids: ['a'] })],
    ['budget', (db) => changeBudget({ db, queues }, '7.50', null)],
    ['resume', (db) => halt(db).resume('ada')],
    ['retry', retry],
  ];
  await halt(inner.db).halt({ reason: 'person', step: '', by: 'ada', detail: 'prices' });
  for (const [what, change] of changes) {
    if (what === 'retry') {
      await halt(inner.db)
        .resume()
        .catch(() => undefined); // the resume that was killed left its queues paused
      await startHaiku(createScriptedModel(() => 'done'));
      await waitUntil(async () => (await redis.redis.zscore(redis.keys.queueKey('tasks', 'failed'), 'c')) !== null);
    }
    const killed = toKilled(ada);
    void change(killed.db);
    await waitUntil(killed.isDead);
    const [newest] = await readAll();
    expect(newest).toMatchObject({ what, who: 'ada@box', before: null, after: { outcome: UNFINISHED } });
  }
  const readAda = async () => (await readAll()).filter(({ who }) => who === ADA.who);
  const before = (await readAda()).length;
  expect(before).toBe(changes.length);

  await tasks.add({ description: 'Count.', for: 'outside' }, { taskId: 'd' });
  await cancelSelected({ db: ada, queues }, { ids: ['d'] });
  await expect(cancelSelected({ db: ada, queues }, { batch: 'nope' })).rejects.toThrow('none of this name');
  expect((await cancelSelected({ db: ada, queues }, { ids: ['nope'] })).refused).toHaveLength(1);
  await changeBudget({ db: ada, queues }, '7.50', null); // the same again is no change
  const all = await readAda();
  expect(all.slice(0, all.length - before)).toMatchObject([{ what: 'cancel', after: { state: 'cancelled' } }]);
});
