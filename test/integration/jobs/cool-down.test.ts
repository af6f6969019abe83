import { expect, test } from 'vitest';
import { coolDown } from '../../../src/jobs/outcomes/backoff.ts';
import { endCooldownsOfOldKey } from '../../../src/jobs/outcomes/changed-key.ts';
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

test('another API key ends what rate limits of the old one began, once, and neither an outage nor the same key does', async () => {
  const { db, keys, redis: connection } = redis;
  const said: unknown[] = [];
  const log = { info: (what: unknown) => said.push(what) };
  const models = ['claude-sonnet-5-5', MODEL, 'claude-opus-5-5', 'gemini-3-flash'];
  const start = (key: string): Promise<void> => {
    const limitKeyOf = (model: string): string => (model.startsWith('claude-') ? key : 'google');
    return endCooldownsOfOldKey(db, { model: { limitKeyOf }, models: [MODEL], log });
  };
  await connection.hset(keys.modelsInUse, Object.fromEntries(models.map((model) => [model, Date.now()])));
  await start('key-1');
  for (const model of [MODEL, 'gemini-3-flash']) await coolDown(db, model, 0);
  await connection.set(keys.cooldown('claude-sonnet-5-5'), 'outage', 'PX', 60_000);
  await connection.set(keys.cooldown('claude-opus-5-5'), 'uncertain', 'PX', 60_000);
  const cooling = async (): Promise<string[]> => {
    const there = await Promise.all(models.map((model) => connection.exists(keys.cooldown(model))));
    return models.filter((_, i) => there[i] === 1);
  };
  const all = await cooling();
  expect(all).toHaveLength(4);
  await start('key-1');
  await endCooldownsOfOldKey(db, { model: {}, models: [MODEL], log });
  expect(await cooling()).toEqual(all);

  await Promise.all([1, 2].map(() => start('key-2')));
  expect(await cooling()).toEqual(all.filter((model) => model !== MODEL));
  expect(await connection.exists(keys.limitedInRow(MODEL))).toBe(0);
  expect(said).toContainEqual({ models: [MODEL] });
  await coolDown(db, MODEL, 5_000);
  await start('key-2');
  expect(await cooling()).toContain(MODEL);
});
