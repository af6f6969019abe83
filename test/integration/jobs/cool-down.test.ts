import { expect, test } from 'vitest';
import { coolDown } from '../../../src/jobs/outcomes/backoff.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';

const isOver = (): Promise<number> => redis.redis.del(redis.keys.cooldown(MODEL));

test('a rate limit without a wait that can be used waits a second, and doubles while the model stays limited', async () => {
  const waits: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    waits.push(await coolDown(redis.db, MODEL, 0));
    await isOver();
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test('calls that were under way together and are all refused count once', async () => {
  await coolDown(redis.db, MODEL, 0);
  for (let i = 0; i < 39; i += 1) expect(await coolDown(redis.db, MODEL, 0)).toBeLessThanOrEqual(1_000);
  await isOver();
  expect(await coolDown(redis.db, MODEL, 0)).toBe(2_000);
});

test('a wait that the provider names is kept, one of its fractions of a second is a second', async () => {
  expect(await coolDown(redis.db, MODEL, 250)).toBe(1_000);
  await isOver();
  expect(await coolDown(redis.db, MODEL, 7_000)).toBe(7_000);
  expect(await coolDown(redis.db, MODEL, 2_000)).toBeGreaterThan(2_000); // the longer one stays
  expect(await redis.redis.pttl(redis.keys.cooldown(MODEL))).toBeGreaterThan(5_000);
});

test('a model that was not limited for a while begins anew', async () => {
  await coolDown(redis.db, MODEL, 0);
  await isOver();
  expect(await redis.redis.pttl(redis.keys.limitedInRow(MODEL))).toBeGreaterThan(0);
});
