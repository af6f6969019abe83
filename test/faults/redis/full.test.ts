import { expect, test } from 'vitest';
import { RedisUnusableError } from '../../../src/errors.ts';
import { openHttpLane } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('a Redis that is full loses nothing: paid replies are held until it takes them', async () => {
  const lane = await openHttpLane(redis, { workers: 2, slots: 4, simulator: { latencyMs: 300 } });
  const ids = await Promise.all(Array.from({ length: 12 }, (_, at) => lane.add(`Say ${at} [[turns:3]]`)));
  await waitUntil(() => lane.simulator.requests().length >= 8, { what: 'calls under way' });
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', '1mb'); // it holds more than that already

  const refused = fleetAdd();
  await expect(refused).rejects.toThrow(RedisUnusableError);
  await expect(refused).rejects.toThrow(/is full and takes nothing more/);
  await waitUntil(() => lane.simulator.requests().every((record) => record.finishedAt !== null), {
    what: 'every reply',
  });
  expect(await lane.queue.getFailedCount()).toBe(0);

  await redis.redis.config('SET', 'maxmemory', '0');
  if ((await lane.halt.read()) !== null) await lane.halt.resume(); // the watch may have come first
  for (const id of ids) await lane.until(id, 'completed', 60_000);
  expect(lane.simulator.requests()).toHaveLength(36);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 36, reserved: 0, openReservations: 0, uncertainCalls: 0 });
  expect(books.settled).toBe(lane.simulator.served().billNanoUsd);

  function fleetAdd(): Promise<unknown> {
    return lane.fleet.tasks.add({ description: 'One more' });
  }
});
