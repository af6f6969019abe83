import { expect, test } from 'vitest';
import { readKnownNames, toConfigured } from '../../../src/tasks/known-names.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test.each([
  ['its own', {}, { effort: 'high' }, 'high'],
  ["the fleet's", { FLEET_HAIKU_EFFORT: 'low' }, {}, 'low'],
  ["its own before the fleet's", { FLEET_HAIKU_EFFORT: 'low' }, { effort: 'max' }, 'max'],
  ["the provider's default", {}, {}, undefined],
  ["another model's default", { FLEET_HAIKU_EFFORT: 'low' }, { model: 'claude-sonnet-5-5' }, undefined],
] as const)('a task thinks with %s effort', async (_, env, task, effort) => {
  const model = createScriptedModel(() => 'tea');
  const fleet = await useFleet(redis, { env, haiku: model });
  const job = await fleet.tasks.add({ description: 'Say tea', ...task });
  await job.finding({ timeoutMs: 10_000 });
  expect(model.calls.map((call) => call.effort)).toEqual([effort]);
});

test('a failed task is retried with less effort, from its beginning', async () => {
  const model = createScriptedModel((_, call) => (call === 1 ? { text: '', stopReason: 'refusal' } : 'tea'));
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Say tea', effort: 'max' });
  await fleet.until(job.id, 'failed');
  const known = await readKnownNames(redis.db, toConfigured({ FLEET_WORKSPACES: {}, models: [] }));
  await retryJob({ db: redis.db, queue: fleet.queue }, job.id, { by: 'ada', known, edit: { effort: 'low' } });
  await fleet.until(job.id, 'completed');
  expect(model.calls.map((call) => call.effort)).toEqual(['max', 'low']);
});
