import { expect, test } from 'vitest';
import { waitForWorkers } from '../../../src/pm2/wait-for-workers.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** A worker's connection, and a wait for it that is over at once unless calls are under way. */
async function openWait(mostMs: number): Promise<{ isOver: () => boolean; leave: () => void }> {
  const worker = await connectRedis(redis.url, { role: 'worker', name: 'fleet-haiku' });
  redis.cleanup(() => worker.disconnect());
  let isOver = false;
  const wait = waitForWorkers(redis.url, 0, { mostMs, reservations: redis.keys.reservations }).then(() => {
    isOver = true;
  });
  redis.cleanup(() => wait);
  return { isOver: () => isOver, leave: () => worker.disconnect() };
}

test('the fleet’s Redis waits for workers whose calls are under way, until they leave', async () => {
  await redis.redis.hset(redis.keys.reservations, 'job#0:0#w#1.a', '500|1|scope');
  const { isOver, leave } = await openWait(60_000);
  const looks = async (): Promise<number> =>
    Number(/cmdstat_hlen:calls=(\d+)/.exec(await redis.redis.info('commandstats'))?.[1] ?? 0);
  const before = await looks();
  await waitUntil(async () => (await looks()) > before + 2);
  expect(isOver()).toBe(false);
  leave();
  await waitUntil(isOver, { what: 'the end of the wait' });
});

test.each([
  ['no call is under way', false, 60_000],
  ['a call has been under way for too long', true, 0],
])('it does not wait for workers if %s', async (_when, isCalling, mostMs) => {
  if (isCalling) await redis.redis.hset(redis.keys.reservations, 'job#0:0#w#1.a', '500|1|scope');
  const { isOver } = await openWait(mostMs);
  await waitUntil(isOver, { what: 'the end of the wait' });
});
