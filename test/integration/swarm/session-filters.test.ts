import { expect, it } from 'vitest';
import { eachFailedJob } from '../../../src/tasks/repair/failed.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();

it('lists the missions of one session, newest first, however many others there are', async () => {
  const fleet = await useFleet(redis);
  for (let n = 1; n <= 60; n += 1) {
    await fleet.missions.add({ goal: `Goal ${n}` }, { missionId: `m${n}`, session: n % 20 === 0 ? 'rare' : 'usual' });
  }
  expect((await fleet.missions.list({ session: 'rare' })).map(({ id }) => id)).toEqual(['m60', 'm40', 'm20']);
  expect((await fleet.missions.list({ session: 'rare', limit: 1 })).map(({ id }) => id)).toEqual(['m60']);
  expect(await fleet.missions.list({ session: 'none' })).toEqual([]);
});

it('tells the failed tasks of one session from those of others', async () => {
  const fleet = await useFleet(redis);
  const { db, queues } = fleet.inner;
  await fleet.startHaiku(createScriptedModel(() => ({ text: '', stopReason: 'refusal' })));
  for (const session of ['one', 'two']) {
    await queues.tasks.add('task', { description: `Of ${session}`, session }, { jobId: `of-${session}` });
  }
  await expect.poll(() => queues.tasks.getFailedCount(), { timeout: 10_000 }).toBe(2);
  const failed: string[] = [];
  for await (const job of eachFailedJob(db, queues.tasks, { session: 'two' })) failed.push(job.id);
  expect(failed).toEqual(['of-two']);
});
