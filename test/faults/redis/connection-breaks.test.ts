import { expect, test } from 'vitest';
import type { ScriptName } from '../../../src/redis/scripts.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startRedisProxy } from '../../support/redis/redis-proxy.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const BREAKS: [string, ScriptName, number][] = [
  ['an exchange of the pacer', 'pace', 1],
  ['the first reservation', 'begin-turn', 1],
  ['a later reservation', 'begin-turn', 2],
  ['the booking of a reply', 'settle-turn', 1],
  ['the finding', 'finish-task', 1],
  ['the release of a reservation', 'close-reservation', 1],
];

/** Redis has run the script, the worker got no answer, and ioredis sends it again. */
test.each(BREAKS)('a connection that breaks at %s books and writes it once', async (_, script, nth) => {
  const proxy = await startRedisProxy(redis, { kind: 'break', script, nth });
  const simulator =
    script === 'close-reservation' ? { faults: [{ kind: 'rate-limit' as const, retryAfter: 1, times: 1 }] } : {};
  const env = { REDIS_URL: proxy.url };
  const fleet = await useSimulatedFleet(redis, { slots: 1, env, simulator, site: { 'a.txt': 'tea\n' } });
  const id = await fleet.add('Describe a.txt [[turns:3]]', { workspace: 'site', files: ['a.txt'] });

  await fleet.until(id, 'completed', 40_000);

  expect(proxy.hasSprung()).toBe(true);
  const served = fleet.simulator.requests().filter((record) => record.served);
  expect(served.map((record) => record.turn)).toEqual([0, 1, 2]);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 3, reserved: 0, openReservations: 0, uncertain: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
  expect(books.costHaiku).toBe(books.settled);
  const { calls, billNanoUsd } = fleet.simulator.served();
  await assertBooksAgree(redis.db, { bill: { calls, nanoUsd: billNanoUsd } });
  expect((await fleet.logs(id)).match(/ turn \d of /g)).toHaveLength(3);
});
