import { expect, it } from 'vitest';
import { tasksQueue } from '../../../queues/tasks.ts';
import { UsageError } from '../../../src/errors.ts';
import { connectQueue } from '../../../src/jobs/connect-queue.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

it('fails a job of another BullMQ client that breaks a rule at once, with the rule, and does the others', async () => {
  const model = createScriptedModel(() => 'tea');
  const bare = await openBareQueue(redis, 'tasks');
  const bad = await bare.addBulk([
    { name: '', data: { description: 'x' } },
    { name: 'tusk', data: { description: 'x' } },
    { name: 'task', data: null },
    { name: 'task', data: 'a text' },
    { name: 'task', data: {} },
    { name: 'task', data: { description: 'x', max_turns: 'many' } },
    { name: 'task', data: { description: 'x', workspace: 'shop' } },
    { name: 'task', data: { description: 'x', model: 'gpt-nothing' } },
    { name: 'task', data: { description: 'x', contexts: ['notes'] } },
    { name: 'task', data: { description: 'x', schema: { type: 'colour' } } },
    { name: 'task', data: { description: 'x' }, opts: { attempts: 5 } },
    { name: 'tusk', data: { description: 'x' }, opts: { attempts: 5 } },
  ]);
  const fleet = await useFleet(redis, { env: { FLEET_HAIKU_CONCURRENCY: '3' } });
  const good = await fleet.tasks.add({ description: 'What is sold?' });
  await fleet.startHaiku(model);

  await expect(good.result({ timeoutMs: 10_000 })).resolves.toBe('tea');
  await waitUntil(async () => (await bare.getJobCountByTypes('wait', 'active', 'delayed')) === 0);
  const reasons = await Promise.all(
    bad.map(async ({ id }) => {
      const job = await bare.getJob(id ?? '');
      return job?.finishedOn === undefined ? 'not ended' : (job.failedReason ?? 'done');
    }),
  );
  expect(reasons).toEqual([
    'invalid-job: name: expected "task" in queue tasks, got ""',
    'invalid-job: name: expected "task" in queue tasks, got "tusk"',
    expect.stringMatching(/^invalid-job: data: /),
    expect.stringMatching(/^invalid-job: data: /),
    expect.stringMatching(/^invalid-job: data: description: /),
    expect.stringMatching(/^invalid-job: data: max_turns: /),
    expect.stringMatching(/^workspace: /),
    expect.stringMatching(/^model: /),
    expect.stringMatching(/^context: .*notes/),
    expect.stringMatching(/^invalid-job: schema: /),
    'done',
    'invalid-job: name: expected "task" in queue tasks, got "tusk"',
  ]);
  expect(model.calls).toHaveLength(2);
  expect((await bare.getJob(bad[11]?.id ?? ''))?.attemptsMade).toBe(1); // a second attempt would fail, too
});

it('works a job with keys of another version, and leaves them in it', async () => {
  const bare = await openBareQueue(redis, 'tasks');
  const job = await bare.add('task', { description: 'What is sold?', flavour: 'green', session: 'instance-11' });
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'tea') });
  const handle = await fleet.tasks.get(job.id ?? '');
  await expect(handle?.finding({ timeoutMs: 10_000 })).resolves.toMatchObject({
    result: 'tea',
    session: 'instance-11',
  });
  expect((await bare.getJob(job.id ?? ''))?.data).toMatchObject({ flavour: 'green' });
});

it('gives jobs the one attempt and the keeping of their queue', async () => {
  const fleet = await useFleet(redis);
  const { id } = await fleet.tasks.add({ description: 'x' });
  const job = await fleet.queue.getJob(id);
  expect(job?.name).toBe('task');
  expect(job?.opts).toMatchObject({
    attempts: 1,
    removeOnComplete: tasksQueue.keep.completed,
    removeOnFail: false,
  });
  expect(job?.data).toEqual({ description: 'x', session: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
  const otherKeys = (await redis.redis.keys('*')).filter(
    (key) => key.includes(redis.swarm) && !key.startsWith(`{${redis.swarm}}:`),
  );
  expect(otherKeys).toEqual([]);
});

it('opens no queue that is not in the registry', async () => {
  const db = await redis.connectDb();
  // @ts-expect-error such a name does not compile
  expect(() => connectQueue('task', db)).toThrow(UsageError);
});

it('skips the damaged heartbeat of a worker, and knows the workspaces of the others', async () => {
  const fleet = await useFleet(redis);
  const worker = { id: 'w1', workspaces: ['site'], seenAt: Date.now() };
  await redis.redis.hset(redis.keys.workers, { w1: JSON.stringify(worker), w2: '{"id":"w2","seenAt":', w3: 'null' });

  const { id } = await fleet.tasks.add({ description: 'Count the crates.', workspace: 'site' });

  expect(await fleet.queue.getJobState(id)).toBe('waiting');
  await expect(fleet.tasks.add({ description: 'x', workspace: 'nowhere' })).rejects.toThrow(/known: site/);
});
