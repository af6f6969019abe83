import { expect, test } from 'vitest';
import type { Db } from '../../../src/redis/db.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { listDisagreements } from '../../support/books/books-agree.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** What an effect that happened twice leaves, and the line that reports it. */
const TWICE: [string, (db: Db) => Promise<unknown>, RegExp][] = [
  [
    'a booking',
    ({ redis: r, keys }) => r.hincrby(keys.spend(`day:${toUtcDay(new Date())}`), 'settled', 1),
    /cost of all days/,
  ],
  ['a public total', ({ redis: r, keys }) => r.incrbyfloat(keys.cost('haiku'), 0.001), /cost:haiku/],
  ['a reservation', ({ redis: r, keys }) => r.hincrby(keys.spend('batch:b'), 'reserved', 5), /reserved of batch:b/],
  ['an uncertain call', ({ redis: r, keys }) => r.hincrby(keys.counters, 'uncertain_calls', 1), /uncertain calls/],
  ['the tokens of a finding', ({ redis: r, keys }) => r.incrby(keys.contextActive, 9), /context:active/],
  ['the count of a finding', ({ redis: r, keys }) => r.hincrby(keys.session, 'findings', 1), /findings of the session/],
  [
    'an announcement',
    async ({ redis: r, keys }) => r.xadd(keys.events, '*', 'finding', (await r.zrange(keys.index, 0, '0'))[0] ?? ''),
    /announced 2 times/,
  ],
  [
    'a job in its queue',
    async ({ redis: r, keys }) => r.rpush(keys.queueKey('tasks', 'wait'), 'b-1', 'b-1'),
    /job b-1 of tasks: is wait and wait/,
  ],
  ['the count of a batch', ({ redis: r, keys }) => r.hincrby(keys.batch('b'), 'tasks', 2), /batch b: tasks 4, ended 2/],
];

test('finds each effect that happened twice, and nothing where all happened once', async () => {
  const { db } = redis;
  const fleet = await useSimulatedFleet(redis, {});
  const tasks = [{ description: 'Say tea [[turns:1]]' }, { description: 'Say milk [[turns:2]]' }];
  const { ids } = await fleet.tasks.addMany(tasks, { batch: 'b' });
  for (const id of ids) await fleet.until(id, 'completed');
  const { calls, billNanoUsd } = fleet.simulator.served();
  const bill = { calls, nanoUsd: billNanoUsd };
  expect(await listDisagreements(db, { bill })).toEqual([]);

  expect(await listDisagreements(db, { bill: { ...bill, calls: calls + 1 } })).toEqual([
    `calls: billed ${calls + 1}, booked ${calls}, with uncertain ${calls}`,
  ]);
  for (const [what, doAgain, line] of TWICE) {
    await doAgain(db);
    expect(await listDisagreements(db, { bill }), what).toContainEqual(expect.stringMatching(line));
  }
});
