import { beforeEach, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { listMissions } from '../../../src/coordinator/mission/status.ts';
import { renderMission, renderMissionTable } from '../../../src/cli/output/mission.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const PLAN = {
  approach: 'look',
  tasks: [
    {
      id: 'look',
      description: 'Look \u202E{item}',
      kind: 'docs',
      model: 'haiku',
      depends_on: [],
      for_each: ['a', 'b'],
    },
  ],
};

beforeEach(async () => {
  const record = {
    goal: 'Find out',
    session: 's',
    state: 'planned',
    plan: JSON.stringify(PLAN),
    input: '{"goal":"x","approve":true}',
  };
  await redis.redis.hset(redis.keys.mission('m'), record);
});

const stateOf = async () => (await readMission(redis.db, 'm'))?.state;

it('shows a mission with its plan, its forecast and what a person can do', async () => {
  const { ask } = await startDashboard(redis);
  const page = (await (await ask('/api/missions/m')).json()) as Record<'mission' | 'plan' | 'actions', unknown>;
  expect(page.mission).toMatchObject({ id: 'm', state: 'planned' });
  expect(page.plan).toMatchObject({
    canRun: true,
    total: 2,
    tasks: [{ n: 1, description: 'Look <U+202E>a' }, { n: 2 }],
  });
  expect(page.actions).toEqual(['run', 'park']);
  expect((await ask('/api/missions/none')).status).toBe(404);
});

it('runs only the plan that was seen, and says why it does not', async () => {
  const { ask, send } = await startDashboard(redis);
  const { plan } = (await (await ask('/api/missions/m')).json()) as { plan: { version: string } };
  const run = async (body: unknown) => {
    const response = await send('POST', '/api/missions/m/run', body);
    return { status: response.status, body: (await response.json()) as { message?: string } };
  };
  expect(await run({})).toMatchObject({ status: 400 });
  expect(await run({ version: plan.version, edit: PLAN })).toMatchObject({ status: 400 });
  expect(await run({ version: 'x' })).toMatchObject({
    status: 409,
    body: { message: expect.stringContaining('has changed since it was read') as string },
  });
  expect(await run({ version: plan.version, drop: [9] })).toMatchObject({ status: 409 });
  expect(await run({ version: plan.version, drop: [2], dryRun: true })).toMatchObject({
    status: 200,
    body: { tasks: 1 },
  });
  expect(await stateOf()).toBe('planned');
  expect(await run({ version: plan.version, drop: [2] })).toMatchObject({
    status: 200,
    body: { tasks: 1, again: false },
  });
  expect(await stateOf()).toBe('running');
});

it('runs the plan with the changes of a person, by the rules of an edited plan', async () => {
  const { ask, send } = await startDashboard(redis);
  const form = (await (await ask('/api/missions/m/plan/look')).json()) as { version: string };
  expect(form).toMatchObject({ description: 'Look \u202E{item}', model: 'haiku', entries: 2, reason: null });
  expect(form).toMatchObject({ models: expect.arrayContaining([{ name: 'haiku', isExpensive: false }]) as unknown });
  expect((await ask('/api/missions/m/plan/none')).status).toBe(404);
  const { version } = form;
  const run = async (changes: object[], more: object = {}) => {
    const response = await send('POST', '/api/missions/m/run', { version, changes, ...more });
    return { status: response.status, body: (await response.json()) as { message?: string } };
  };
  const messageOf = (text: string) => ({ status: 409, body: { message: expect.stringContaining(text) as string } });
  expect(await run([{ task: 'gone', model: 'haiku' }])).toMatchObject(messageOf('has no task "gone"'));
  expect(await run([{ task: 'look', description: '' }])).toMatchObject(messageOf('task 1 ("look"), description'));
  expect(await run([{ task: 'look', model: 'sonnet' }])).toMatchObject(messageOf('model sonnet needs a reason'));
  expect(await run([{ task: 'look', model: 'haiku' }], { version: 'x' })).toMatchObject(messageOf('has changed'));
  expect(await run([{ task: 'look', description: 'Look hard at {item}' }], { dryRun: true })).toMatchObject({
    status: 200,
    body: { tasks: 2 },
  });
  expect(await stateOf()).toBe('planned');
  const drop = { drop: [1] };
  expect(await run([{ task: 'look', description: 'Look hard at {item}' }], drop)).toMatchObject({
    status: 200,
    body: { tasks: 1, again: false },
  });
  expect(await readMission(redis.db, 'm')).toMatchObject({
    state: 'running',
    approval: { edited: true },
    nodes: [{ n: 1, description: 'Look hard at b' }],
  });
  const page = (await (await ask('/api/missions/m')).json()) as { plan: { tasks: object[] } };
  expect(page.plan.tasks).toMatchObject([{ n: 1, task: 'look', state: 'waits', jobId: 'm-1' }]);
});

it('calls a mission cancelled that a person cancelled, wherever it is shown', async () => {
  const { redis: admin, keys, db } = redis;
  const { ask, send } = await startDashboard(redis);
  const read = async (path: string) => (await (await ask(path)).json()) as Record<string, unknown>;
  const { plan } = (await read('/api/missions/m')) as { plan: { version: string } };
  expect((await send('POST', '/api/missions/m/run', { version: plan.version })).status).toBe(200);
  await admin.zadd(keys.missions, Date.now(), 'm');
  await admin.hset(keys.mission('m'), { state: 'failed', problem: 'cancelled: cancelled by a person' });
  expect(await read('/api/missions/m')).toMatchObject({
    mission: { state: 'cancelled' },
    plan: { tasks: [{ state: 'not begun' }, { state: 'not begun' }] },
    actions: [],
  });
  expect(await read('/api/status')).toMatchObject({ missions: [{ id: 'm', state: 'cancelled' }] });
  const [mission] = await listMissions(db, 1);
  expect(mission).toBeDefined();
  if (mission === undefined) return;
  expect(renderMissionTable([mission])).toMatch(/^m +cancelled /m);
  expect(renderMission(mission)).toMatch(/^Mission m: cancelled\n(.*\n)* +next: +fleet retry m runs it after all$/);
  for (const [action, body, says] of [
    ['park', {}, 'is cancelled; there is nothing to park'],
    ['resume', {}, 'was cancelled; fleet retry m runs it after all'],
    ['answer', { text: 'Go on' }, 'was cancelled; an answer cannot let it go on'],
  ] as const) {
    const answer = await send('POST', `/api/missions/m/${action}`, body);
    expect([answer.status, await answer.json()]).toEqual([
      409,
      expect.objectContaining({ message: expect.stringContaining(says) as string }),
    ]);
  }
  expect(await stateOf()).toBe('failed'); // the record, which older versions read, stays as it is
});

it('tells that the plan of a dry run waits for approval, wherever the mission is shown', async () => {
  const { redis: admin, keys, db } = redis;
  const { ask } = await startDashboard(redis);
  const read = async (path: string) => (await (await ask(path)).json()) as Record<string, unknown>;
  const counts = JSON.stringify({ total: 2, added: 0, done: 0, failed: 0, skipped: 0 });
  await admin.hset(keys.mission('m'), { state: 'done', input: '{"goal":"x","dry_run":true}', counts });
  await admin.zadd(keys.missions, Date.now(), 'm');
  const words = 'dry run, waits for approval';
  const { mission, plan } = (await read('/api/missions/m')) as Record<'mission' | 'plan', object>;
  expect(mission).toMatchObject({ words, isPlanned: true, outcome: null });
  const tasks = [
    { n: 1, jobId: null },
    { n: 2, jobId: null },
  ]; // no task was added, so that none has a page
  expect(plan).toMatchObject({ canRun: true, forecast: { tasks: { haiku: 2 } }, tasks });
  expect(await read('/api/status')).toMatchObject({ missions: [{ id: 'm', words, isPlanned: true }] });
  const listed = await listMissions(db, 1);
  expect(renderMissionTable(listed)).toMatch(/^m +dry run, waits for approval +2 planned /m);
});

it('shows what an ended mission did, and nothing that only matters before its plan runs', async () => {
  const { redis: admin, keys } = redis;
  const { ask } = await startDashboard(redis);
  const page = async () =>
    (await (await ask('/api/missions/m')).json()) as { mission: { outcome: object | null }; plan: { notes: string[] } };
  await admin.hset(keys.mission('m'), { plannedAt: '2020-01-01T00:00:00.000Z' });
  await storeFindings(redis, { later: { result: 'x' } });
  expect((await page()).plan.notes).toEqual([expect.stringContaining('The archive has moved on: 1 finding')]);
  expect((await page()).mission.outcome).toBeNull();
  await admin.hset(keys.mission('m'), {
    state: 'done',
    finding: 'finding_m',
    input: '{"goal":"x"}',
    counts: JSON.stringify({ total: 2, added: 2, done: 1, failed: 1, skipped: 0 }),
    createdAt: '2026-01-01T10:00:00.000Z',
    endedAt: '2026-01-01T10:01:30.000Z',
  });
  const { mission, plan } = await page();
  expect(mission.outcome).toEqual({ tasks: '1 of 2 tasks done, 1 failed', tookMs: 90_000 });
  expect(plan.notes).toEqual([]);
});

it.each([
  ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ['another origin', { origin: 'https://evil.example' }, 403],
  ['nobody who is logged in', {}, 401],
])('changes nothing for %s', async (_, headers, status) => {
  const { send } = await startDashboard(redis, status === 401 ? { DASHBOARD_PASSWORD: TEST_PASSWORD } : {});
  for (const action of ['run', 'park', 'resume', 'answer']) {
    const sent = await send('POST', `/api/missions/m/${action}`, { version: 'x' }, headers);
    expect(sent.status).toBe(status);
  }
  expect(await stateOf()).toBe('planned');
});
