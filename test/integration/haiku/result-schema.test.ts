import { expect, test } from 'vitest';
import { toFindingId } from '../../../src/findings/finding.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const hostile = { type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } };

test('a schema whose pattern never ends fails its own tasks, after one call each, and no other', async () => {
  const model = createScriptedModel(({ messages }) =>
    JSON.stringify(messages).includes('pattern') ? `{"x":"${'a'.repeat(40)}!"}` : 'The count is: {"n":7}',
  );
  const fleet = await useFleet(redis, { haiku: model, env: { FLEET_HAIKU_CONCURRENCY: '8' } });
  await fleet.tasks.addMany(
    Array.from({ length: 3 }, () => ({ description: 'x', schema: hostile })),
    { batch: 'bad' },
  );
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  const good = await fleet.tasks.add({ description: 'Count', schema });
  const plain = await fleet.tasks.add({ description: 'Count in words' });

  expect(await good.finding({ timeoutMs: 20_000 })).toMatchObject({ result: { n: 7 } });
  expect(await plain.finding({ timeoutMs: 20_000 })).toMatchObject({ status: 'completed' });
  for (const id of ['bad-1', 'bad-2', 'bad-3']) {
    expect((await fleet.until(id, 'failed')).failedReason).toMatch(
      /^schema: the result cannot be checked: the task's schema: its pattern "\^\(a\+\)\+\$" took too long/,
    );
  }
  expect(model.calls).toHaveLength(5);
});

test('a number beyond 2^53 is stored as the model wrote it', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'So: {"id":9007199254740993,"part":0.1}') });
  const { id } = await fleet.tasks.add({ description: 'x', schema: { properties: { id: { type: 'integer' } } } });
  await fleet.until(id, 'completed');
  const stored = await redis.redis.get(redis.keys.finding(toFindingId(id)));
  expect(stored).toContain('"result":{"id":9007199254740993,"part":0.1}');
});
