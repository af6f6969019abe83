import { expect, test } from 'vitest';
import { readStates } from '../../../src/jobs/state/states.ts';
import { openTestFleet, startHaiku, testConfig } from '../../support/in-process-fleet.ts';
import { useRedis } from '../../support/redis.ts';
import { createScriptedModel } from '../../support/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('answers what BullMQ answers, for jobs in every state', async () => {
  const config = testConfig(redis, { FLEET_HAIKU_CONCURRENCY: '1' });
  const fleet = await openTestFleet(redis, config);
  const { tasks } = fleet.inner.queues;
  let release = (): void => undefined;
  const held = new Promise<string>((resolve) => (release = () => resolve('late')));
  await startHaiku(
    redis,
    config,
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
  const states = await readStates(redis.db, tasks.name, ids);

  expect(states).toEqual(['completed', 'failed', 'delayed', 'active', 'waiting', 'unknown']);
  expect(states).toEqual(await Promise.all(ids.map((id) => tasks.getJobState(id))));
});
