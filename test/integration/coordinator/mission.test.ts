import { describe, expect, it } from 'vitest';
import type { MissionRecord } from '../../../src/coordinator/mission/types.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { createMissionModel, promptOf, titleOf, toPlanReply } from '../../support/models/mission-model.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

type MissionModel = ReturnType<typeof createMissionModel>;

/** A fleet without librarians: a coordinator, a worker, and a connection that adds missions. */
function startFleet(
  model: MissionModel,
  { haiku = true, env = {} }: { haiku?: boolean; env?: Record<string, string> } = {},
): Promise<TestFleet> {
  return useFleet(redis, { config: { shards: [] }, env, coordinator: model, ...(haiku ? { haiku: model } : {}) });
}

/** Waits until a mission has ended, or needs a person. */
async function untilEnd(id: string): Promise<MissionRecord> {
  return waitUntil(
    async () => {
      const record = await readMission(redis.db, id);
      return record !== null && ['done', 'failed', 'asks'].includes(record.state) ? record : null;
    },
    { what: 'the end of the mission' },
  ) as Promise<MissionRecord>;
}

const callsOf = (model: MissionModel, title: string) => model.calls.filter((call) => titleOf(call) === title);
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];
const refuse = (...names: string[]) => ({
  task: (request: Parameters<typeof promptOf>[0]) =>
    names.some((name) => promptOf(request).includes(name)) ? { text: '', stopReason: 'refusal' } : 'found',
});

describe('a mission', () => {
  it('plans, delegates, sums up, and records one finding that cites its sources', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model, { env: { FLEET_NOTIFY: 'true' } });
    const mission = await fleet.missions.add({ goal: 'Find out.', topics: ['costs'] }, { missionId: 'm' });
    const finding = await mission.finding();
    const sources = ['m-1', 'm-2', 'm-3'].map(async (id) => (await fleet.tasks.get(id))?.findingId);
    expect(finding).toMatchObject({
      kind: 'mission',
      mission_id: 'm',
      topics: ['costs'],
      citations: await Promise.all(sources),
      result: { answer: expect.stringContaining('Done.'), counts: { total: 3, done: 3, failed: 0, skipped: 0 } },
    });
    expect(await fleet.findings.count()).toBe(4);
    await waitUntil(async () => (await redis.redis.exists(redis.keys.noticed('mission-done:m'))) === 1);
  });

  it('counts its own calls neither as tasks nor twice', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await (await fleet.missions.add({ goal: 'Find out.' })).finding();
    const totals = await redis.redis.hgetall(redis.keys.sessionTotals(await fleet.inner.currentSession()));
    expect(totals).toMatchObject({ 'haiku:tasks': '3', 'coordinator:calls': '2' });
    expect(totals).not.toHaveProperty('sonnet:tasks');
  });

  it('stamps its tasks, and keeps them apart from the fleet’s other work', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm', session: 'other' })).finding();
    expect(await fleet.inner.queues.tasks.getJob('m-2')).toMatchObject({
      data: { description: 'Look at b', mission_id: 'm', session: 'other' },
    });
  });

  it('holds no slot while it waits for its tasks', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model, { haiku: false });
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    const state = () => fleet.inner.queues.missions.getJobState('m');
    await waitUntil(async () => (await state()) === 'waiting-children', { what: 'the mission waiting' });
    expect(await fleet.inner.queues.missions.getActiveCount()).toBe(0);
  });

  it('puts a task into the queue as soon as those it depends on are done, whatever else still runs', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const tasks = [
      { id: 'slow', description: 'Take long' },
      { id: 'quick', description: 'Be quick' },
      { id: 'after', description: 'Come after', depends_on: ['quick'] },
    ];
    const model = createMissionModel(tasks, {
      task: async (request) => {
        if (promptOf(request).includes('Take long')) await held;
        return 'found';
      },
    });
    const fleet = await startFleet(model);
    const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    const after = await waitUntil(() => model.calls.find((call) => promptOf(call).includes('Come after')));
    expect(promptOf(after as never)).toContain((await fleet.tasks.get('m-2'))?.findingId);
    letGo();
    expect((await mission.finding()).citations).toHaveLength(3);
  });

  it('goes on without the failed where the quorum is there, and says what failed', async () => {
    const tasks = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c', 'd', 'e'] }];
    const model = createMissionModel(tasks, refuse('Look at e'));
    const fleet = await startFleet(model);
    const { result } = await (await fleet.missions.add({ goal: 'Find out.' })).finding();
    expect(result).toMatchObject({ counts: { done: 4, failed: 1 } });
    expect(promptOf(callsOf(model, 'synthesis')[0] as never)).toContain('refusal');
  });

  it('fails with the reasons where the quorum is not there', async () => {
    const model = createMissionModel(three, refuse('Look at b', 'Look at c'));
    const fleet = await startFleet(model);
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    const record = await untilEnd('m');
    expect(record.problem).toMatch(/^quorum: 1 of 3 tasks are done, 3 are needed; 2 failed.*m-2 \(refusal/);
    expect(callsOf(model, 'synthesis')).toHaveLength(0);
  });

  it('goes on from where it failed once its tasks and it are retried', async () => {
    let mended = false;
    const model = createMissionModel(three, {
      task: (request) =>
        promptOf(request).includes('Look at b') && !mended ? { text: '', stopReason: 'refusal' } : 'found',
    });
    const fleet = await startFleet(model);
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await untilEnd('m');
    mended = true;
    const { queues } = fleet.inner;
    await waitUntil(async () => (await queues.missions.getJobState('m')) === 'failed');
    await (await queues.tasks.getJob('m-2'))?.retry('failed');
    await (await queues.missions.getJob('m'))?.retry('failed');
    const record = await waitUntil(async () => {
      const found = await readMission(redis.db, 'm');
      return found?.state === 'done' ? found : null;
    });
    expect(record).toMatchObject({ counts: { done: 3 } });
    expect(callsOf(model, 'plan')).toHaveLength(1);
  });

  it('skips what depends on a failed task', async () => {
    const tasks = [
      { id: 'first', description: 'Go first' },
      { id: 'second', description: 'Go second', depends_on: ['first'] },
      { id: 'third', description: 'Go third', depends_on: ['second'] },
    ];
    const model = createMissionModel(tasks, refuse('Go first'));
    const fleet = await startFleet(model);
    await fleet.missions.add({ goal: 'Find out.', quorum: 0 }, { missionId: 'm' });
    expect((await untilEnd('m')).counts).toMatchObject({ failed: 1, skipped: 2, done: 0 });
    expect(await fleet.inner.queues.tasks.getJobState('m-3')).toBe('unknown');
  });

  it('makes the plan alone in a dry run, and adds no task', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model);
    await fleet.missions.add({ goal: 'Find out.', dry_run: true }, { missionId: 'm' });
    const record = await untilEnd('m');
    expect(record).toMatchObject({ state: 'done', finding: null, plan: { tasks: [{ id: 'look' }] } });
    expect(await fleet.inner.queues.tasks.getJobCounts()).toMatchObject({ waiting: 0, completed: 0 });
  });
});

describe('a bad plan', () => {
  const reply = (tasks: object[]) => JSON.stringify({ approach: 'none', tasks });

  it.each([
    ['of no task', reply([]), '0 tasks'],
    [
      'of too many',
      toPlanReply([
        { id: 'look', description: 'Look at {item}', for_each: Array.from({ length: 20 }, (_, i) => `f${i}`) },
      ]),
      '20 tasks',
    ],
    ['that is no JSON', 'I would rather not', 'I would rather not'],
  ])('%s is sent back once, then fails the mission with the reply', async (_, text, shown) => {
    const model = createMissionModel([], { plan: () => text });
    const fleet = await startFleet(model, { haiku: false });
    await fleet.missions.add({ goal: 'Find out.', max_tasks: 10 }, { missionId: 'm' });
    const record = await untilEnd('m');
    expect(record.problem).toMatch(/^malformed: /);
    expect(record.problem).toContain(shown);
    expect(callsOf(model, 'plan')).toHaveLength(2);
  });

  it('is asked for anew once the mission is retried', async () => {
    const model = createMissionModel(three, { plan: (_, call) => (call <= 2 ? 'nothing' : toPlanReply(three)) });
    const fleet = await startFleet(model);
    const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    const { missions } = fleet.inner.queues;
    await waitUntil(async () => (await missions.getJobState('m')) === 'failed');
    await (await missions.getJob('m'))?.retry('failed');
    expect((await mission.finding()).citations).toHaveLength(3);
  });
});

describe('what a mission may not be', () => {
  it.each([
    ['an empty goal', { goal: '  ' }, 'goal'],
    ['a budget of 0', { goal: 'Find out.', budget_usd: 0 }, 'budget_usd'],
    ['an unknown workspace', { goal: 'Find out.', workspace: 'nowhere' }, 'workspace: "nowhere" is not known'],
    ['a key nobody knows', { goal: 'Find out.', colour: 'red' }, 'colour'],
  ])('%s', async (_, input, shown) => {
    const fleet = await startFleet(createMissionModel(three));
    await expect(fleet.missions.add(input)).rejects.toThrow(shown);
    expect(await fleet.missions.list()).toEqual([]);
  });

  it('the id of a task', async () => {
    const fleet = await startFleet(createMissionModel(three), { haiku: false });
    await fleet.tasks.add({ description: 'Do it.' }, { taskId: 'taken' });
    await expect(fleet.missions.add({ goal: 'Find out.' }, { missionId: 'taken' })).rejects.toThrow('is a task');
  });

  it.each([
    ['m', 'm-1', 'is a task'],
    ['m-1', 'm', 'as another mission is'],
  ])('a mission %s beside a mission %s', async (first, second, shown) => {
    const fleet = await startFleet(createMissionModel(three), { haiku: false });
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: first });
    await expect(fleet.missions.add({ goal: 'Find out.' }, { missionId: second })).rejects.toThrow(shown);
  });

  it('a paper and a plan alone', async () => {
    const fleet = await startFleet(createMissionModel(three), { haiku: false });
    await expect(fleet.missions.add({ goal: 'Write.', paper: {}, dry_run: true })).rejects.toThrow('dry_run');
  });

  it('another of the same id', async () => {
    const fleet = await startFleet(createMissionModel(three), { haiku: false });
    await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    expect(await fleet.missions.add({ goal: 'Something else.' }, { missionId: 'm' })).toMatchObject({ added: false });
  });
});
