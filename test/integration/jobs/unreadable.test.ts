import { expect, test } from 'vitest';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test.each([
  ['data', '{"description":"tea"', /^invalid-job: data: expected an object, got the text "data: expected JSON, got \{/],
  ['opts', 'none', /^invalid-job: data: expected an object, got the text "opts: expected an object as JSON, got none"/],
])('a job whose %s is no JSON fails with its reason, and those behind it are done', async (field, text, reason) => {
  const fleet = await useFleet(redis);
  const bad = await fleet.tasks.add({ description: 'Say tea' });
  await redis.redis.hset(redis.keys.queueKey('tasks', bad.id), field, text);
  const others = await Promise.all([1, 2, 3].map((i) => fleet.tasks.add({ description: `Say ${i}` })));
  const model = createScriptedModel(() => 'tea');
  await fleet.startHaiku(model);

  for (const other of others) expect(await other.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
  expect((await fleet.until(bad.id, 'failed')).failedReason).toMatch(reason);
  expect(model.calls).toHaveLength(3);
  expect(await fleet.logs(bad.id)).toContain(text);
});
