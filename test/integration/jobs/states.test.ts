import { expect, test } from 'vitest';
import { readEnds, readJob, readJobs } from '../../../src/jobs/state/states.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('answers what BullMQ answers, for jobs in every state', async () => {
  const fleet = await useFleet(redis, { env: { FLEET_HAIKU_CONCURRENCY: '1' } });
  const { tasks } = fleet.inner.queues;
  let release = (): void => undefined;
  const held = new Promise<string>((resolve) => (release = () => resolve('late')));
  await fleet.startHaiku(
    createScriptedModel((request) => (JSON.stringify(request.messages).includes('hold') ? held : 'done')),
  );
  redis.cleanup(() => release());
  await fleet.tasks.add({ description: 'quick' }, { taskId: 'is-completed' });
  await fleet.tasks.add({ description: 'bad', schema: { type: 'object' } }, { taskId: 'is-failed' });
  await fleet.tasks.add({ description: 'dear', budget_usd: 0.000_001 }, { taskId: 'is-delayed' });
  await fleet.tasks.add({ description: 'hold' }, { taskId: 'is-active' });
  await fleet.tasks.add({ description: 'next' }, { taskId: 'is-waiting' });
  await waitUntil(async () => (await tasks.getJobState('is-active')) === 'active');

  const ids = ['is-completed', 'is-failed', 'is-delayed', 'is-active', 'is-waiting', 'is-nowhere'];
  const states = (await readJobs(redis.db, tasks.name, ids)).map(({ state }) => state);

  expect(states).toEqual(['completed', 'failed', 'delayed', 'active', 'waiting', 'unknown']);
  expect(states).toEqual(await Promise.all(ids.map((id) => tasks.getJobState(id))));
});

test('answers what BullMQ answers for a job with a priority, and for one that waits for another', async () => {
  const fleet = await useFleet(redis);
  const { tasks, missions } = fleet.inner.queues;
  await tasks.add('task', { description: 'first' }, { jobId: 'is-prioritized', priority: 1 });
  await missions.add('mission', { goal: 'wait' }, { jobId: 'is-parent' });
  const parent = await takeJob(redis, 'missions');
  await tasks.add(
    'task',
    { description: 'child' },
    { jobId: 'is-child', parent: { id: 'is-parent', queue: missions.qualifiedName } },
  );
  await parent.moveToWaitingChildren('token');

  expect(await readJob(redis.db, tasks.name, 'is-prioritized')).toEqual({ state: 'prioritized' });
  expect(await readJob(redis.db, missions.name, 'is-parent')).toEqual({ state: 'waiting-children' });
  expect(await tasks.getJobState('is-prioritized')).toBe('prioritized');
  expect(await missions.getJobState('is-parent')).toBe('waiting-children');
});

test('reads how jobs ended, however many they are', async () => {
  const fleet = await useFleet(redis);
  const { tasks } = fleet.inner.queues;
  await fleet.startHaiku(createScriptedModel(() => 'done'));
  const { id, findingId } = await fleet.tasks.add({ description: 'quick' });
  await fleet.tasks.add({ description: 'bad', schema: { type: 'object' } }, { taskId: 'is-failed' });
  await waitUntil(async () => (await readJob(redis.db, tasks.name, 'is-failed')).state === 'failed');
  await waitUntil(async () => (await readJob(redis.db, tasks.name, id)).state === 'completed');

  const ids = [id, ...Array.from({ length: 1_200 }, (_, n) => `none-${n}`), 'is-failed'];
  const ends = await readEnds(redis.db, tasks.name, ids);
  expect(ends).toHaveLength(ids.length);
  expect(ends[0]).toEqual({ state: 'completed', findingId });
  expect(ends[1_200]).toEqual({ state: 'unknown' });
  expect(ends.at(-1)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^schema: /) as string });
  expect(await readJobs(redis.db, tasks.name, ids)).toEqual(ends); // none of them is open
});
