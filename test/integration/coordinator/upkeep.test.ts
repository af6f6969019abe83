import { describe, expect, it } from 'vitest';
import { cancelChildren } from '../../../src/coordinator/mission/children.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import type { OpenWorker } from '../../../src/jobs/worker/open-worker.ts';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];
let coordinator: OpenWorker;

/** A mission `m` that waits for its three tasks, which no worker does. */
async function startWaiting(more: { budget_usd?: number } = {}): Promise<TestFleet> {
  const fleet = await useFleet(redis, { config: { shards: [] } });
  coordinator = await fleet.startCoordinator(createMissionModel(three));
  await fleet.missions.add({ goal: 'Find out.', ...more }, { missionId: 'm' });
  await waitUntil(async () => (await fleet.inner.queues.missions.getJobState('m')) === 'waiting-children', {
    what: 'the mission waiting',
  });
  return fleet;
}

const untilFailed = () =>
  waitUntil(
    async () => {
      const record = await readMission(redis.db, 'm');
      return record?.state === 'failed' ? record : null;
    },
    { what: 'the end of the mission' },
  );

const untilProblem = (text: string) =>
  waitUntil(async () => (await readMission(redis.db, 'm'))?.problem.includes(text), {
    what: `the problem “${text}”`,
  });

/** As if it had already waited for some time. */
const waitedLong = () => redis.redis.zadd(redis.keys.queueKey('missions', 'waiting-children'), 1, 'm');

describe('a mission whose record another program has damaged', () => {
  it('holds up no other, and is listed with them', async () => {
    const fleet = await startWaiting();
    const { missions } = fleet;
    await missions.add({ goal: 'Find out.' }, { missionId: 'other' });
    const { queues } = fleet.inner;
    await waitUntil(async () => (await queues.missions.getJobState('other')) === 'waiting-children');
    await redis.redis.zadd(redis.keys.queueKey('missions', 'waiting-children'), 1, 'm', 2, 'other'); // `m` comes first
    await coordinator.close();
    await redis.redis.hset(redis.keys.mission('m'), { nodes: '{garbage', counts: 'x' });
    await fleet.startCoordinator(createMissionModel(three)); // a process that has not read the mission before
    await redis.redis.del(...[1, 2, 3].map((n) => redis.keys.queueKey('tasks', `other-${n}`))); // only a sweep notices
    await waitUntil(async () => (await readMission(redis.db, 'other'))?.state === 'failed');
    expect((await missions.list()).map(({ id }) => id).toSorted()).toEqual(['m', 'other']);
    await expect(readMission(redis.db, 'm')).rejects.toThrow('mission m: its record is damaged: field');
  });
});

describe('a mission whose tasks cannot come', () => {
  it('goes on where they were removed, and says so', async () => {
    const fleet = await startWaiting();
    for (const id of ['m-1', 'm-2', 'm-3']) await (await fleet.queue.getJob(id))?.remove();
    expect((await untilFailed())?.problem).toMatch(/^quorum: 0 of 3.*m-1 \(removed/);
    expect(await fleet.queue.getJobState('m-1')).toBe('unknown'); // not added again
  });

  it('is woken where their ends were not told', async () => {
    await startWaiting();
    const tasks = ['m-1', 'm-2', 'm-3'];
    await redis.redis.del(...tasks.map((id) => redis.keys.queueKey('tasks', id))); // as after a loss of data
    await redis.redis.lrem(redis.keys.queueKey('tasks', 'wait'), 0, 'm-1');
    expect((await untilFailed())?.problem).toContain('removed');
    expect(await redis.redis.hget(redis.keys.counters, 'missions_mended')).toBe('1');
  });

  it('says that no worker is up', async () => {
    const fleet = await startWaiting();
    await waitedLong();
    await untilProblem('no worker is up');
    const readLog = async () => (await fleet.inner.queues.missions.getJobLogs('m')).logs.join('\n');
    await waitUntil(async () => (await readLog()).includes('blocked:')); // the record is written first
    expect(await readLog()).toContain('blocked: no worker is up');
    expect(await redis.redis.hget(redis.keys.counters, 'missions_stuck')).toBe('1');
  });

  it('says that no librarian is up for its question', async () => {
    await storeFindings(redis, { known: { task: 'look', result: 'The pages are in docs.' } });
    const fleet = await useFleet(redis, { coordinator: createMissionModel(three) });
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await waitUntil(async () => (await fleet.inner.queues.missions.getJobState('m')) === 'waiting-children');
    await waitedLong();
    await untilProblem('no librarian is up');
    await fleet.startLibrarian(createScriptedArchive(() => ({ answer: 'NOT IN ARCHIVE' })));
    await waitUntil(async () => (await readMission(redis.db, 'm'))?.plan !== null);
  });

  it('says so no longer once they come', async () => {
    const fleet = await startWaiting();
    await waitedLong();
    await untilProblem('no worker is up');
    await fleet.startHaiku(createMissionModel(three));
    await waitUntil(async () => (await readMission(redis.db, 'm'))?.state === 'done');
    expect((await readMission(redis.db, 'm'))?.problem).toBe('');
  });

  it('says that all of them are parked for its budget', async () => {
    const fleet = await startWaiting({ budget_usd: 1 });
    await redis.redis.hset(redis.keys.spend('mission:m'), 'limit', 1);
    await fleet.startHaiku(createMissionModel(three));
    await waitedLong();
    await untilProblem('all it waits for is parked: 3 jobs');
    expect(await fleet.queue.getFailedCount()).toBe(0);
  });

  it('ends with them when a person cancels it', async () => {
    const fleet = await startWaiting();
    const { db, queues } = fleet.inner;
    await cancelJobs(db, queues.missions, ['m']);
    expect(await cancelChildren({ db, queues }, 'm')).toBe(3);
    await fleet.startHaiku(createMissionModel(three));
    expect((await untilFailed())?.problem).toMatch(/^cancelled:/);
  });

  it('is marked as failed where its own job was removed', async () => {
    const fleet = await startWaiting();
    await redis.redis.zadd(redis.keys.missions, 1, 'm'); // so old that it may be removed
    await (await fleet.inner.queues.missions.getJob('m'))?.remove();
    expect((await untilFailed())?.problem).toMatch(/^removed:/);
  });
});
