import { describe, expect, it } from 'vitest';
import { toMissionFindingId } from '../../../src/coordinator/mission/id.ts';
import { readMission, writeMission } from '../../../src/coordinator/mission/record.ts';
import { pruneMissions } from '../../../src/coordinator/upkeep/watch.ts';
import { readMissionProgress } from '../../../src/coordinator/handler.ts';
import { createMissionModel, promptOf, titleOf, toPlanReply } from '../../support/models/mission-model.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];

type MissionModel = ReturnType<typeof createMissionModel>;

function startFleet(model: MissionModel): Promise<TestFleet> {
  return useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
}

const titlesOf = (model: MissionModel) => model.calls.map(titleOf).filter((title) => title !== '');

describe('a mission that begins again', () => {
  it('pays no plan twice whose coordinator went away while it was made', async () => {
    let reply = (_text: string): void => undefined;
    const plan = new Promise<string>((resolve) => (reply = resolve));
    const model = createMissionModel(three, { plan: () => plan });
    const fleet = await useFleet(redis, { config: { shards: [] } });
    const first = await fleet.startCoordinator(model);
    const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await waitUntil(() => model.calls.length === 1, { what: 'the planning call' });
    const closing = first.close();
    reply(toPlanReply(three));
    await closing;
    await fleet.startCoordinator(model);
    await fleet.startHaiku(model);
    await mission.finding();
    expect(titlesOf(model)).toEqual(['plan', 'synthesis']);
  });

  it('makes no call once it is done, whoever runs it again', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
    const { missions } = fleet.inner.queues;
    await waitUntil(async () => (await missions.getJobState('m')) === 'completed');
    const calls = model.calls.length;
    const job = await missions.getJob('m');
    const runs = job?.attemptsStarted ?? 0;
    await job?.retry('completed');
    await waitUntil(async () => ((await missions.getJob('m'))?.attemptsStarted ?? 0) > runs);
    await waitUntil(async () => (await missions.getJobState('m')) === 'completed');
    expect(model.calls).toHaveLength(calls);
    expect(await fleet.findings.count()).toBe(4);
  });

  it('ends with the finding that a mission of its id wrote before its record was forgotten', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    const before = await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
    const { missions } = fleet.inner.queues;
    await waitUntil(async () => (await missions.getJobState('m')) === 'completed');
    await (await missions.getJob('m'))?.remove();
    await redis.redis.del(redis.keys.mission('m'));
    const calls = model.calls.length;
    const again = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    expect(await again.finding()).toEqual(before);
    expect(await readMission(redis.db, 'm')).toMatchObject({
      state: 'done',
      finding: before.finding_id,
    });
    expect(model.calls).toHaveLength(calls);
  });

  it('fails before anything is paid where its finding belongs to something else', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await redis.redis.set(redis.keys.finding(toMissionFindingId('m')), JSON.stringify({ task: 'x', result: 'y' }));
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await waitUntil(async () => (await readMission(redis.db, 'm'))?.state === 'failed');
    expect((await readMission(redis.db, 'm'))?.problem).toContain('finding-taken');
    expect(model.calls).toHaveLength(0);
  });

  it('adds no task again whose job was cleared away, also where it was not noted', async () => {
    let refused = true;
    const model = createMissionModel(three, {
      task: (request) =>
        refused && promptOf(request).includes('Look at c') ? { text: '', stopReason: 'refusal' } : 'found',
    });
    const fleet = await startFleet(model);
    const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    const { missions, tasks } = fleet.inner.queues;
    await waitUntil(async () => (await missions.getJobState('m')) === 'failed');
    for (const id of ['m-1', 'm-2']) await (await tasks.getJob(id))?.remove(); // done, and old
    await redis.redis.del(redis.keys.missionAdded('m'));
    refused = false;
    await (await tasks.getJob('m-3'))?.retry('failed');
    await (await missions.getJob('m'))?.retry('failed');
    expect((await mission.finding({ timeoutMs: 15_000 })).citations).toHaveLength(3);
    const again = model.calls.filter((call) => titleOf(call) === '' && promptOf(call).includes('Look at a'));
    expect(again).toHaveLength(1);
  });

  it('finds its task of the same name as itself no stranger', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
    expect(toMissionFindingId('m-1')).not.toBe((await fleet.tasks.get('m-1'))?.findingId);
    await expect(fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm-1' })).rejects.toThrow('is a task');
  });
});

it('carries out several missions once each, with two coordinators at work', async () => {
  const tasks = [
    { id: 'look', description: 'Look at {item}', for_each: Array.from({ length: 20 }, (_, i) => `f${i}`) },
    { id: 'sum', description: 'Sum it up', depends_on: ['look'] },
  ];
  const model = createMissionModel(tasks);
  const fleet = await startFleet(model);
  await fleet.startCoordinator(model);
  const missions = await Promise.all(
    ['a', 'b', 'c', 'd'].map((id) => fleet.missions.add({ goal: 'Find out.' }, { missionId: id })),
  );
  const findings = await Promise.all(missions.map((mission) => mission.finding()));
  expect(findings.map(({ citations }) => citations.length)).toEqual([21, 21, 21, 21]);
  expect(titlesOf(model).toSorted()).toEqual([...Array(4).fill('plan'), ...Array(4).fill('synthesis')]);
  expect(model.calls).toHaveLength(4 * (21 + 2));
});

describe('what counts as progress of a mission', () => {
  const updatedAt = new Date();
  const progress = () => readMissionProgress(redis.db, 'm');

  it.each([
    ['a step', () => writeMission(redis.db, 'm', { step: 'wait' }, updatedAt)],
    ['a task in the queue', () => redis.redis.setbit(redis.keys.missionAdded('m'), 7, 1)],
    ['a stored reply', () => redis.redis.hset(redis.keys.turns('m'), 'r:0:plan', '{}')],
    ['a draft of its paper', () => redis.redis.hset(redis.keys.paper('m'), 'draft:0', '{}')],
  ])('%s', async (_, goOn) => {
    const before = await progress();
    await goOn();
    expect(await progress()).not.toBe(before);
  });

  it('nothing else', async () => {
    const before = await progress();
    await writeMission(redis.db, 'm', { problem: 'none' }, updatedAt);
    expect(await progress()).toBe(before);
  });
});

it('forgets missions that ended three months ago, and no others', async () => {
  const { redis: admin, keys, db } = redis;
  const old = new Date(Date.now() - 100 * 24 * 3600_000);
  for (const [id, state] of [
    ['over', 'done'],
    ['open', 'asks'],
  ] as const) {
    await admin.zadd(keys.missions, old.getTime(), id);
    await writeMission(db, id, { goal: id, state, endedAt: state === 'done' ? old.toISOString() : null }, old);
  }
  expect(await pruneMissions(db, new Date())).toBe(1);
  expect(await readMission(db, 'over')).toBeNull();
  expect(await readMission(db, 'open')).toMatchObject({ state: 'asks' });
});
