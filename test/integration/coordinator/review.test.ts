import { describe, expect, it, vi } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { createMissionModel, promptOf, titleOf } from '../../support/models/mission-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
/** Numbers: 1 to 3 `look`, 4 `sum`, 5 `tell`. */
const five = [
  { id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] },
  { id: 'sum', description: 'Sum it up', depends_on: ['look'] },
  { id: 'tell', description: 'Tell a story' },
];

async function start(tasks = five, answers: Parameters<typeof createMissionModel>[1] = {}) {
  const model = createMissionModel(tasks, answers);
  const fleet = await useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
  const titles = () => model.calls.map(titleOf).filter((title) => title !== '');
  const state = async () => (await readMission(redis.db, 'm'))?.state;
  const until = (wanted: string) => waitUntil(async () => (await state()) === wanted, { what: `state ${wanted}` });
  const dryRun = async () => {
    await fleet.missions.add(
      { goal: 'Find out.', dry_run: true, budget_usd: 5, quorum: 0.5 },
      { missionId: 'm', session: 's1' },
    );
    await until('done');
  };
  const jobState = () => fleet.inner.queues.missions.getJobState('m');
  return { ...fleet, model, titles, state, until, dryRun, jobState };
}

/** Descriptions of the tasks that were worked, sorted. */
const worked = (model: ReturnType<typeof createMissionModel>) =>
  model.calls
    .filter((call) => titleOf(call) === '')
    .map((call) => /Look at \w|Sum it up|Tell a story|Say it/.exec(promptOf(call))?.[0] ?? '?')
    .toSorted();

describe('a dry run that is run', () => {
  it('does exactly the tasks that were shown, and plans and pays nothing again', async () => {
    const { missions, model, titles, dryRun } = await start();
    await dryRun();
    const plan = await missions.plan('m');
    expect(plan).toMatchObject({ canRun: true, obstacle: null, notes: [], approval: null, state: 'done' });
    expect(plan.tasks.map(({ n, description }) => `${n} ${description}`)).toEqual([
      '1 Look at a',
      '2 Look at b',
      '3 Look at c',
      '4 Sum it up',
      '5 Tell a story',
    ]);
    expect(await missions.run('m', { version: plan.version })).toMatchObject({
      again: false,
      dropped: [],
      edited: false,
    });
    const answer = await (await missions.get('m'))?.finding();
    expect(titles()).toEqual(['plan', 'synthesis']);
    expect(worked(model)).toEqual(['Look at a', 'Look at b', 'Look at c', 'Sum it up', 'Tell a story']);
    expect(answer).toMatchObject({ session: 's1', result: { counts: { total: 5, done: 5 }, plan: { tasks: 5 } } });
    expect(answer?.cost).toBeGreaterThan(plan.costNanoUsd / 1e9); // plan and synthesis
  });

  it('runs without what was left out, under the numbers that were shown', async () => {
    const { missions, model, dryRun, inner } = await start();
    await dryRun();
    await expect(missions.run('m', { drop: [2] })).rejects.toThrow(
      'task 4 depends on 2; to leave out what depends on them, too (4): --drop 2,4',
    );
    await expect(missions.run('m', { drop: [6] })).rejects.toThrow('there is no task 6; the plan has tasks 1 to 5');
    await expect(missions.run('m', { drop: [1, 2, 3, 4, 5] })).rejects.toThrow('leaves none of its 5 tasks');
    expect(await readMission(redis.db, 'm')).toMatchObject({ state: 'done', approval: null });
    expect(await missions.run('m', { drop: [4, 2] })).toMatchObject({ dropped: [2, 4] });
    await (await missions.get('m'))?.finding();
    expect(worked(model)).toEqual(['Look at a', 'Look at c', 'Tell a story']);
    expect(await inner.queues.tasks.getJob('m-2')).toBeUndefined();
    expect(await inner.queues.tasks.getJob('m-5')).toBeDefined();
    expect((await missions.plan('m')).tasks.filter(({ dropped }) => dropped).map(({ n }) => n)).toEqual([2, 4]);
  });

  it('runs a plan that a person has edited, and refuses one that breaks a rule with numbers and fields', async () => {
    const { missions, model, dryRun } = await start();
    await dryRun();
    const { plan } = await missions.plan('m');
    const [look, sum] = plan.tasks;
    const wrong = {
      ...plan,
      tasks: [look, { ...sum, kind: 'magic' }, { id: 'x', description: 'y', kind: 'other', modell: 'haiku' }],
    };
    await expect(missions.run('m', { edit: wrong })).rejects.toThrow(
      /task 2 \("sum"\), kind: .*\n.*task 3 \("x"\): Unrecognized key: "modell"/,
    );
    const unfit = { ...plan, tasks: [{ ...look, model: 'sonnet', reason: 'ambiguous requirements' }] };
    await expect(missions.run('m', { edit: unfit })).rejects.toThrow('expected at most 1');
    await expect(missions.run('m', { edit: plan, drop: [1] })).rejects.toThrow('leave the tasks out in the file');
    expect(await readMission(redis.db, 'm')).toMatchObject({ state: 'done', approval: null });
    const edited = { approach: 'mine', tasks: [{ id: 'say', description: 'Say it', kind: 'other' }] };
    expect(await missions.run('m', { edit: edited, dryRun: true })).toMatchObject({ edited: true });
    expect(await readMission(redis.db, 'm')).toMatchObject({ state: 'done', approval: null });
    expect(await missions.run('m', { edit: edited })).toMatchObject({
      edited: true,
      forecast: { tasks: { total: 1 } },
    });
    await (await missions.get('m'))?.finding();
    expect(worked(model)).toEqual(['Say it']);
    expect(await missions.run('m', { edit: edited })).toMatchObject({ again: true });
    await expect(missions.run('m')).rejects.toThrow(/was approved by .*, edited; nothing was changed now/);
  });

  it('refuses an edited plan that its budget cannot pay', async () => {
    const { missions, dryRun, inner } = await start();
    await dryRun();
    await inner.db.redis.hset(redis.keys.spend('mission:m'), 'limit', 1_000);
    const { plan } = await missions.plan('m');
    await expect(missions.run('m', { edit: plan })).rejects.toThrow(
      /likely costs .*, and its budget has \$0\.0000 left/,
    );
  });

  it('counts its plan in budget and finding, also where the stored calls of a version before are gone', async () => {
    const { missions, dryRun, inner } = await start();
    await dryRun();
    const planned = (await missions.plan('m')).costNanoUsd;
    await inner.db.redis.del(redis.keys.turns('m'));
    await inner.db.redis.hdel(redis.keys.mission('m'), 'own_totals', 'input', 'plannedAt'); // as a version before left it
    await missions.run('m');
    const answer = await (await missions.get('m'))?.finding();
    expect(answer?.cost).toBeGreaterThan(planned / 1e9);
    expect(answer?.result).toMatchObject({ cost: { coordinator_usd: expect.closeTo(answer?.cost ?? 0, 6) as number } });
  });

  it('is added again where its job is gone', async () => {
    const { missions, dryRun, inner, titles, jobState } = await start();
    await dryRun();
    await waitUntil(async () => (await jobState()) === 'completed');
    await (await inner.queues.missions.getJob('m'))?.remove();
    await missions.run('m');
    const answer = await (await missions.get('m'))?.finding();
    expect(answer).toMatchObject({ session: 's1' });
    expect(titles()).toEqual(['plan', 'synthesis']);
  });
});

describe('a plan that is not what it was', () => {
  const plan = {
    approach: 'look',
    tasks: [{ id: 'look', description: 'Look', kind: 'other', model: 'haiku', depends_on: [] }],
  };
  /** As the version before wrote the record of a dry run; its job has been removed. */
  const old = {
    goal: 'Find out.',
    session: 's',
    workspace: '',
    state: 'done',
    step: 'delegate',
    plan: JSON.stringify(plan),
    createdAt: '2026-11-20T10:00:00.000Z',
    endedAt: '2026-11-20T10:01:00.000Z',
  };
  const leave = (fields: Record<string, string>) => redis.redis.hset(redis.keys.mission('m'), { ...old, ...fields });
  const input = JSON.stringify({ goal: 'Find out.', dry_run: true });

  it.each([
    ['was planned by a version before, and its job is gone', {}, 'a version before this one planned it'],
    ['names a workspace that is gone', { workspace: 'site', input }, 'its workspace "site" is gone'],
    [
      'breaks a rule of this version',
      { plan: '{"approach":"x","tasks":[]}', input },
      'another version of the program made its plan',
    ],
    ['has no plan yet', { plan: '', state: 'running' }, 'its plan is not made yet'],
    [
      'failed before it had one',
      { plan: '', state: 'failed', problem: 'malformed: x' },
      'has failed before it had a plan: malformed',
    ],
    [
      'was cancelled before it had one',
      { plan: '', state: 'failed', problem: 'cancelled: cancelled by a person' },
      'was cancelled before it had a plan; fleet retry m',
    ],
    [
      'was cancelled',
      { state: 'failed', problem: 'cancelled: cancelled by a person' },
      'was cancelled; fleet retry m runs it after all',
    ],
    ['was not given for review', { input: '{"goal":"x"}', state: 'running' }, 'its plan waits for nobody'],
  ])('is refused where it %s', async (_, fields, sentence) => {
    const { missions } = await useFleet(redis, { config: { shards: [] }, env: { FLEET_WORKSPACES: 'other=/tmp' } });
    await leave(fields);
    const before = await redis.redis.hgetall(redis.keys.mission('m'));
    await expect(missions.run('m')).rejects.toThrow(sentence);
    expect(await redis.redis.hgetall(redis.keys.mission('m'))).toEqual(before);
  });

  it('is named as forgotten once its record is gone', async () => {
    const { missions } = await useFleet(redis, { config: { shards: [] } });
    await redis.redis.hset(redis.keys.spend('mission:m'), 'settled', 1);
    await expect(missions.run('m')).rejects.toThrow(
      'its plan is forgotten, as everything of a mission is 90 days after its end',
    );
  });

  it('says how the archive has moved on, and runs all the same', async () => {
    const { missions } = await useFleet(redis, { config: { shards: [] } });
    await storeFindings(redis, { new: { task: 'look', result: 'New.' }, bad: { task: 'look', result: 'Wrong.' } });
    await redis.redis.hset(redis.keys.retracted, 'bad', '{"why":"wrong","by":"ann","at":"now"}');
    await leave({ input, recall: JSON.stringify({ findingId: 'r', answer: 'x [bad]', citations: ['bad'] }) });
    const { notes } = await missions.run('m');
    expect(notes).toEqual([
      'The archive has moved on: 2 findings came since the plan was made, which does not know them.',
      'The plan rests on 1 finding that was retracted since: bad.',
    ]);
  });
});

describe('a mission with approval', () => {
  it('runs one of two plans that are approved in the same instant, and refuses the other', async () => {
    const { missions, until, inner, model } = await start();
    await missions.add({ goal: 'Find out.', approve: true }, { missionId: 'm' });
    await until('planned');
    const date = vi.spyOn(inner.db.clock, 'date').mockReturnValue(inner.db.clock.date());
    const edits = ['Tell a story', 'Say it'].map((description) => ({
      approach: 'mine',
      tasks: [{ id: 'one', description, kind: 'other' }],
    }));
    const runs = await Promise.allSettled(edits.map((edit) => missions.run('m', { edit })));
    date.mockRestore();
    const won = runs.findIndex(({ status }) => status === 'fulfilled');
    expect(runs[1 - won]).toMatchObject({ reason: { message: expect.stringContaining('nothing was changed now') } });
    await (await missions.get('m'))?.finding();
    expect(worked(model)).toEqual([edits[won]?.tasks[0]?.description]);
  });

  it('waits with its plan, holds no slot, and runs when it is told to', async () => {
    const { missions, until, jobState, titles, inner } = await start();
    await missions.add({ goal: 'Find out.', approve: true }, { missionId: 'm' });
    await until('planned');
    await waitUntil(async () => (await jobState()) === 'delayed');
    expect(await inner.queues.tasks.getJobCounts('waiting', 'active', 'completed')).toMatchObject({ completed: 0 });
    await expect(missions.resume('m')).rejects.toThrow('its plan waits for approval; fleet mission run m runs it');
    await expect(missions.answer('m', 'Yes')).rejects.toThrow('waits for approval of its plan, not for an answer');
    const runs = await Promise.all([missions.approve('m'), missions.approve('m')]);
    expect(runs.filter(({ again }) => again)).toHaveLength(1);
    await (await missions.get('m'))?.finding();
    expect(titles()).toEqual(['plan', 'synthesis']);
    expect(await missions.approve('m')).toMatchObject({ again: true });
  });

  it('waits also while no coordinator is up, and is started by one where its person’s process died', async () => {
    const model = createMissionModel(five);
    const fleet = await useFleet(redis, { config: { shards: [] }, haiku: model });
    const first = await fleet.startCoordinator(model);
    await fleet.missions.add({ goal: 'Find out.', approve: true }, { missionId: 'm' });
    await waitUntil(async () => (await fleet.inner.queues.missions.getJobState('m')) === 'delayed');
    await first.close();
    const job = await fleet.inner.queues.missions.getJob('m');
    await fleet.missions.run('m', { drop: [5] });
    // What the dying process left: the approval is stored, and the job waits for a person.
    await job?.remove();
    await fleet.inner.queues.missions.add('mission', job?.data, { jobId: 'm', delay: 10 * 365 * 24 * 3600_000 });
    await fleet.startCoordinator(model);
    const answer = await (await fleet.missions.get('m'))?.finding();
    expect(answer?.result).toMatchObject({ counts: { total: 4, done: 4 } });
  });

  it('is set aside, waits for approval again when it is resumed, and runs also while it is parked', async () => {
    const { missions, until, state, jobState } = await start();
    await missions.add({ goal: 'Find out.', approve: true }, { missionId: 'm' });
    await until('planned');
    await missions.park('m');
    expect(await state()).toBe('parked');
    await missions.resume('m');
    expect(await state()).toBe('planned');
    await waitUntil(async () => (await jobState()) === 'delayed');
    await missions.park('m');
    await missions.run('m');
    await (await missions.get('m'))?.finding();
  });
});
