import { expect, test } from 'vitest';
import { RedisUnusableError } from '../../../src/errors.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('a Redis that is full loses nothing: paid replies are held until it takes them', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 4, simulator: { latencyMs: 300 } });
  const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => fleet.add(`Say ${i} [[turns:3]]`)));
  await waitUntil(() => fleet.simulator.requests().length >= 8, { what: 'calls under way' });
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', '1mb'); // it already holds more

  const refused = fleetAdd();
  await expect(refused).rejects.toThrow(RedisUnusableError);
  await expect(refused).rejects.toThrow(/is full and takes nothing more/);
  await waitUntil(() => fleet.simulator.requests().every((record) => record.finishedAt !== null), {
    what: 'every reply',
  });
  expect(await fleet.queue.getFailedCount()).toBe(0);

  await redis.redis.config('SET', 'maxmemory', '0');
  if ((await fleet.halt.read()) !== null) await fleet.halt.resume(); // the memory check may have halted the fleet first
  for (const id of ids) await fleet.until(id, 'completed', 60_000);
  expect(fleet.simulator.requests()).toHaveLength(36);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 36, reserved: 0, openReservations: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);

  function fleetAdd(): Promise<unknown> {
    return fleet.tasks.add({ description: 'One more' });
  }
});
