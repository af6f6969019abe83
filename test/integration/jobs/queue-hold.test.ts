import { expect, test } from 'vitest';
import { createQueueHold } from '../../../src/jobs/bullmq/queue-hold.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const COOLING = 'claude-haiku-5-5';
const FREE = 'claude-haiku-4-5';
/** More than one look behind the hold takes. */
const AHEAD = 30;

test('a task of a model that nobody used yet passes those that wait for one that cools down', async () => {
  const model = createScriptedModel(() => 'tea');
  const { tasks, queue } = await useFleet(redis, { haiku: model });
  await (await tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 20_000 });
  const cooldown = redis.keys.cooldown(COOLING);
  await redis.redis.set(cooldown, 'rate-limit', 'PX', 3_600_000);
  await tasks.addMany(Array.from({ length: AHEAD }, (_, i) => ({ description: `Say tea ${i}` })));
  await waitUntil(async () => (await redis.redis.exists(redis.keys.queueKey('tasks', 'limiter'))) === 1, {
    what: 'the hold of the queue',
  });
  const other = await tasks.add({ description: 'Say milk', model: FREE });

  expect(await other.finding({ timeoutMs: 30_000 })).toMatchObject({ status: 'completed', model: FREE });
  expect(model.calls.map((call) => call.model)).toEqual([COOLING, FREE]);
  await redis.redis.del(cooldown);
  await waitUntil(async () => (await queue.getCompletedCount()) === AHEAD + 2, {
    timeoutMs: 30_000,
    what: 'the tasks that waited',
  });
}, 120_000);

test('looks behind a hold that lasts, at a few tasks a time', async () => {
  const { redis: client, keys, db } = redis;
  await client.hset(keys.modelsInUse, COOLING, Date.now());
  await client.set(keys.cooldown(COOLING), 'rate-limit', 'PX', 3_600_000);
  let now = 0;
  const hold = createQueueHold(db, () => now);
  const mayTake = async (): Promise<boolean> => (await hold.remainingMs()) === 0;
  expect(await mayTake()).toBe(true);
  expect(hold.begin('first')).toBe(true);
  now = 4_000;
  expect(await mayTake()).toBe(false);
  now = 6_000;
  const takes: boolean[] = [];
  for (let i = 0; i < 27; i += 1) takes.push(await mayTake());
  expect(takes.indexOf(false)).toBe(25);
  hold.taken('behind');
  expect([hold.begin('behind'), hold.begin('taken before the hold')]).toEqual([false, true]);
  now = 8_000;
  expect(await mayTake()).toBe(true);
  hold.taken('behind again');
  hold.taken('done');
  hold.ended('done');
  expect(hold.begin('done')).toBe(true); // what ends behind a hold is forgotten, however long that lasts

  await client.del(keys.cooldown(COOLING));
  expect(await mayTake()).toBe(true);
  expect(hold.begin('behind again')).toBe(true); // of a hold that is over
});
