import { FlowProducer } from 'bullmq';
import { expect, test } from 'vitest';
import { createForgetting } from '../../../src/jobs/forget/forget.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const IDS = [
  'x'.repeat(3_000),
  'ünï 💥',
  ' a b ',
  '__proto__',
  'constructor',
  '*?[x]',
  '../etc',
  '"quoted"',
  'a\nb',
  '%s|#',
];

test('jobs of odd ids are done, each once, and found again', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'tea') });
  for (const id of IDS) await fleet.queue.add('task', { description: 'Say tea' }, { jobId: id });
  for (const id of IDS) await fleet.until(id, 'completed');
  expect((await fleet.status()).findings.live).toBe(IDS.length);
  await createForgetting({ db: redis.db })(Date.now());
  expect((await fleet.status()).failed).toEqual([]);
});

/** What another program may do to the parent of a flow, whose child then ends. */
const DAMAGES: [string, (parent: string, dependencies: string) => Promise<unknown>][] = [
  ['no hash', (parent) => redis.redis.del(parent)],
  ['a list in place of its hash', (parent) => redis.redis.multi().del(parent).rpush(parent, 'x').exec()],
  ['data that is no JSON', (parent) => redis.redis.hset(parent, { data: '{"a":', opts: '[' })],
  ['no children any more', (_, dependencies) => redis.redis.del(dependencies)],
  ['text in place of its children', (_, dependencies) => redis.redis.set(dependencies, 'x')],
];

test.each(DAMAGES)('the child of a waiting parent with %s stops no other job, nor the status', async (_, damage) => {
  const fleet = await useFleet(redis);
  const flows = new FlowProducer({ connection: await redis.connect(), prefix: redis.keys.bullPrefix });
  redis.cleanup(() => flows.close());
  const task = { name: 'task', queueName: 'tasks', data: { description: 'Say tea' } };
  await flows.add({ ...task, opts: { jobId: 'parent' }, children: [{ ...task, opts: { jobId: 'child' } }] });
  const parent = redis.keys.queueKey('tasks', 'parent');
  await damage(parent, `${parent}:dependencies`);
  await fleet.startHaiku(createScriptedModel(() => 'tea'));
  const others = await Promise.all([1, 2].map((i) => fleet.tasks.add({ description: `Say ${i}` })));
  for (const other of others) expect(await other.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
  await expect
    .poll(() => fleet.queue.getJobCounts('wait', 'active'), { timeout: 20_000 })
    .toEqual({ wait: 0, active: 0 });
  expect((await fleet.status()).halt).toBeNull();
});
