import { Worker } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { readAuditPage } from '../../../src/audit/read-audit.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HOSTILE = '<img src=x onerror="document.title=1">\u202E';

interface List {
  jobs: { id: string; state: string; text: string; why: string | null; action: string | null }[];
  looked: number;
  cursor: string | null;
  message?: string;
}

/** A fleet with a failed task, a cancelled one and two that wait, and its dashboard. */
async function open(env: Record<string, string> = {}) {
  const fleet = await useFleet(redis);
  const dashboard = await startDashboard(redis, env);
  const { tasks } = dashboard.queues;
  const fail = async (why: string) => {
    const worker = new Worker(tasks.name, null, {
      connection: redis.redis,
      prefix: redis.keys.bullPrefix,
      autorun: false,
    });
    const job = await worker.getNextJob('token');
    await job?.moveToFailed(new Error(why), 'token', false);
    await worker.close();
  };
  await tasks.add('task', { description: 'Count the pears.', batch: 'fruit' }, { jobId: 'failed-1' });
  await fail(`schema: ${HOSTILE}`);
  await tasks.add('task', { description: 'Count the plums.' }, { jobId: 'cancelled-1' });
  await fail('cancelled: by a person');
  await tasks.add('task', { description: `Sell ${HOSTILE}`, model: 'claude-haiku-5-5' }, { jobId: 'waiting-1' });
  await tasks.add('task', { description: 'Eat the pears.', batch: 'fruit' }, { jobId: 'waiting-2' });
  const list = async (query = '') => {
    const response = await dashboard.ask(`/api/jobs${query}`);
    return { status: response.status, ...((await response.json()) as List) };
  };
  const idsOf = async (query: string) => (await list(query)).jobs.map(({ id }) => id).toSorted();
  const change = async (action: string, body: unknown, headers = {}) => {
    const response = await dashboard.send('POST', `/api/jobs/${action}`, body, headers);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { fleet, dashboard, list, idsOf, change };
}

describe('the list of jobs', () => {
  it('is filtered by its address, shows what is hidden, and goes on with a cursor', async () => {
    const { list, idsOf } = await open();
    const all = await list();
    expect(all).toMatchObject({ status: 200, cursor: null });
    const byId = Object.fromEntries(all.jobs.map((job) => [job.id, job]));
    expect(byId['failed-1']).toMatchObject({ state: 'failed', action: 'retry' });
    expect(byId['failed-1']?.why).toContain('<U+202E>');
    expect(byId['waiting-1']).toMatchObject({ state: 'waiting', action: 'cancel', model: 'claude-haiku-5-5' });
    expect(byId['waiting-1']?.text).toContain('<img src=x onerror="document.title=1"><U+202E>');
    expect(await idsOf('?words=pears')).toEqual(['failed-1', 'waiting-2']);
    expect(await idsOf('?state=failed,cancelled')).toEqual(['cancelled-1', 'failed-1']);
    expect(await idsOf('?batch=fruit&state=waiting&words=')).toEqual(['waiting-2']);
    expect(await idsOf('?reason=schema&since=1h')).toEqual(['failed-1']);
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.cursor ?? ''}`);
    expect([...first.jobs, ...second.jobs].map(({ id }) => id).toSorted()).toEqual(Object.keys(byId).toSorted());
  });

  it.each([
    ['state=active', 'state: expected running, waiting'],
    ['since=soon', 'since: expected a date'],
    ['cost-above=much', 'cost-above: expected decimal dollars'],
    ['limit=0', 'limit: expected 1..200'],
    ['sate=failed', 'sate'],
    ['cursor=x', 'cursor: expected the one'],
  ])('refuses ?%s with the rule', async (query, rule) => {
    const { ask } = await startDashboard(redis);
    const response = await ask(`/api/jobs?${query}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as List).message).toContain(rule);
  });

  it('sends the same commands to Redis with 20,000 waiting tasks as with none', async () => {
    const { ask } = await startDashboard(redis);
    const count = async (): Promise<string[]> => {
      await redis.redis.config('RESETSTAT');
      expect((await ask('/api/jobs')).status).toBe(200);
      const stats = await redis.redis.info('commandstats');
      expect(stats).not.toMatch(/cmdstat_(keys|scan|hscan|zscan|lpos)\b/);
      return [...stats.matchAll(/cmdstat_(evalsha|ping):calls=\d+/g)].map(([text]) => text);
    };
    await count(); // the first one loads the scripts
    const atNone = await count();
    const ids = Array.from({ length: 20_000 }, (_, i) => `task-${i}`);
    const chain = redis.redis.pipeline();
    for (const id of ids) {
      const data = JSON.stringify({ description: `Count ${id}.` });
      chain.hset(redis.keys.queueKey('tasks', id), { name: 'task', data, timestamp: Date.now() });
    }
    await chain.rpush(redis.keys.queueKey('tasks', 'wait'), ...ids).exec();
    expect(await count()).toEqual(atNone);
  });
});

describe('the page of a job', () => {
  it('shows its timeline as text, what it waits for, and what a person can do', async () => {
    const { fleet, dashboard } = await open();
    const read = async (id: string) => {
      const response = await dashboard.ask(`/api/jobs/${encodeURIComponent(id)}`);
      return {
        status: response.status,
        ...((await response.json()) as { message?: string; job: object; timeline: object[] }),
      };
    };
    expect(await read('failed-1')).toMatchObject({
      job: {
        state: 'failed',
        kind: 'task',
        text: 'Count the pears.',
        batch: 'fruit',
        action: 'retry',
        hasEnded: true,
        failure: { reason: 'schema', text: expect.stringContaining('<U+202E>') as string },
        waits: { command: expect.stringContaining('fleet retry --reason schema') as string },
      },
    });
    expect(await read('waiting-1')).toMatchObject({
      job: {
        state: 'waiting',
        action: 'cancel',
        hasEnded: false,
        waits: { why: 'no worker is up', command: 'fleet up' },
      },
      timeline: [{ kind: 'queued', since: '+0.0 s', until: null, isFailure: false }],
    });
    expect(await read('waiting-3')).toMatchObject({
      status: 404,
      message: expect.stringContaining('did you mean waiting-') as string,
    });

    const steps = createScriptedModel(({ messages }) =>
      messages.length === 1 ? { tools: [{ name: 'read', input: { file_path: `${HOSTILE}.md` } }] } : `Sold ${HOSTILE}`,
    );
    await fleet.startHaiku(steps);
    const { id, finding, findingId } = await fleet.tasks.add({ description: 'Sell' });
    await finding({ timeoutMs: 20_000 });
    const { job, timeline } = await read(findingId);
    expect(job).toMatchObject({ id, state: 'done', action: null, findingId, isRecorded: true });
    expect(timeline.at(-1)).toMatchObject({ kind: 'finding', text: findingId });
    expect(timeline.find((entry) => 'kind' in entry && entry.kind === 'tool')).toMatchObject({
      text: expect.stringContaining('<U+202E>.md') as string,
      isFailure: true,
    });
  });
});

describe('a change of several jobs', () => {
  it('tells first what would happen and what it may cost, then does it, and answers for each job', async () => {
    const { fleet, change } = await open();
    const ids = ['failed-1', 'waiting-1', 'nobody'];
    const asked = await change('retry', { ids, dryRun: true });
    expect(asked.body).toMatchObject({
      done: ['failed-1'],
      forecast: { tasks: 1, likely: expect.any(Number) as number },
      refused: [
        { id: 'waiting-1', message: expect.stringContaining('only failed jobs can be retried') as string },
        { id: 'nobody' },
      ],
    });
    expect((await fleet.tasks.get('failed-1'))?.state).toBe('failed');
    await redis.redis.hset(
      redis.keys.queueKey('tasks', 'failed-1'),
      'data',
      JSON.stringify({ description: 'x', model: 'gone' }),
    );
    expect((await change('retry', { ids, dryRun: true })).body).toMatchObject({ done: ['failed-1'], forecast: null });
    expect((await change('retry', { ids })).body).toMatchObject({ done: ['failed-1'], forecast: null });
    expect((await fleet.tasks.get('failed-1'))?.state).toBe('waiting');
    expect(await fleet.logs('failed-1')).toMatch(/retried by .+, in the dashboard/);

    const cancel = { ids: ['failed-1', 'cancelled-1'] };
    expect((await change('cancel', { ...cancel, dryRun: true })).body).toMatchObject({
      done: ['failed-1'],
      refused: [{ id: 'cancelled-1', message: expect.stringContaining('nothing to cancel') as string }],
    });
    expect(await redis.redis.zcard(redis.keys.cancelled)).toBe(0);
    expect((await change('cancel', cancel)).body).toMatchObject({ done: ['failed-1'] });
    expect(await redis.redis.zscore(redis.keys.cancelled, 'failed-1')).not.toBeNull();
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['nobody who is logged in', {}, 401],
  ])('is refused for %s', async (_, headers, status) => {
    const { send, ask } = await startDashboard(redis, status === 401 ? { DASHBOARD_PASSWORD: TEST_PASSWORD } : {});
    for (const action of ['retry', 'cancel']) {
      expect((await send('POST', `/api/jobs/${action}`, { ids: ['a'] }, headers)).status).toBe(status);
    }
    expect((await ask('/api/jobs')).status).toBe(status === 401 ? 401 : 200);
  });

  it.each([{}, { ids: [] }, { ids: ['a'], force: true }, { ids: Array.from({ length: 201 }, () => 'a') }])(
    'is refused for %j',
    async (body) => {
      const { send } = await startDashboard(redis);
      expect((await send('POST', '/api/jobs/retry', body)).status).toBe(400);
    },
  );
});

describe('the retry of one task, edited', () => {
  it('begins with the task as it was asked for, names the field that breaks a rule, and changes nothing before it fits', async () => {
    const { fleet, dashboard, change } = await open();
    const big = '{"description":"Count.","data":{"n":12345678901234567890},"budget_usd":0.5,"max_turns":7}';
    const stored = { ...(JSON.parse(big) as object), data_text: '{"n":12345678901234567890}', batch: 'fruit' };
    await redis.redis.hset(redis.keys.queueKey('tasks', 'failed-1'), 'data', JSON.stringify(stored));
    await redis.redis.hset(redis.keys.spend('task:failed-1'), { limit: 200_000_000, settled: 100_000_000 });
    const form = (await (await dashboard.ask('/api/jobs/failed-1/edit')).json()) as { json: string; models: string[] };
    expect(form).toMatchObject({ description: 'Count.', model: '', maxTurns: 7, budgetNanoUsd: 200_000_000 });
    expect(form.json).toContain('12345678901234567890');
    expect(form.json).not.toContain('fruit'); // a stamp
    expect(form.models).toContain('claude-haiku-5-5');
    expect((await dashboard.ask('/api/jobs/nobody/edit')).status).toBe(404);

    const retry = async (edit: object, more: object = {}) =>
      (await change('retry', { ids: ['failed-1'], edit, dryRun: true, ...more })).body;
    const refused = (field: string, text: string) => ({
      done: [],
      refused: [{ field, message: expect.stringContaining(text) as string }],
    });
    expect(await retry({ maxTurns: 900 })).toMatchObject(refused('maxTurns', 'max_turns'));
    expect(await retry({ maxTurns: 'many' })).toMatchObject(refused('maxTurns', 'max_turns'));
    expect(await retry({ model: 'gone' })).toMatchObject(refused('model', 'no price is known'));
    expect(await retry({ effort: 'heroic' })).toMatchObject(refused('effort', 'effort'));
    expect(await retry({ budgetUsd: -1 })).toMatchObject(refused('budgetUsd', 'budget_usd'));
    expect(await retry({ description: ' ' })).toMatchObject(refused('description', 'expected words'));
    expect(await retry({ append: ' ' })).toMatchObject(refused('append', 'expected words'));
    expect(await retry({ json: '{' })).toMatchObject(refused('json', 'data: expected JSON'));
    expect(await retry({ append: 'x', json: '{}' })).toMatchObject({
      message: expect.stringContaining('a whole task'),
    });
    expect((await change('retry', { ids: ['failed-1', 'x'], edit: { append: 'x' } })).status).toBe(400);
    expect((await change('retry', { ids: ['failed-1'], edit: { colour: 'red' } })).status).toBe(400);
    expect(await retry({ append: 'Slowly.', budgetUsd: 0.9 })).toMatchObject({ done: ['failed-1'], refused: [] });
    expect((await fleet.tasks.get('failed-1'))?.state).toBe('failed');
    expect(await redis.redis.hget(redis.keys.spend('task:failed-1'), 'limit')).toBe('200000000');

    const done = await retry({ append: 'Slowly.', budgetUsd: 0.9, maxTurns: 9 }, { dryRun: false });
    expect(done).toMatchObject({ done: ['failed-1'] });
    const text = (await redis.redis.hget(redis.keys.queueKey('tasks', 'failed-1'), 'data')) ?? '';
    expect(JSON.parse(text)).toMatchObject({
      description: 'Count.\n\nSlowly.',
      max_turns: 9,
      budget_usd: 0.9,
      batch: 'fruit',
      data_text: '{"n":12345678901234567890}',
    });
    expect(await redis.redis.hget(redis.keys.spend('task:failed-1'), 'limit')).toBe('900000000');
    expect(await fleet.logs('failed-1')).toMatch(/edited and retried by .+, in the dashboard/);
    const [entry] = (await readAuditPage(fleet.inner.db, {}, { limit: 1 })).entries;
    expect(entry).toMatchObject({ before: { budget: '$0.2000' }, after: { budget: '$0.9000' } });
  });

  it('turns model, effort and turns back to the default', async () => {
    const { fleet, dashboard, change } = await open();
    const named = { description: 'Count.', model: 'claude-haiku-5-5', effort: 'high', max_turns: 7 };
    await redis.redis.hset(redis.keys.queueKey('tasks', 'failed-1'), 'data', JSON.stringify(named));
    const edit = { model: null, effort: null, maxTurns: null };
    expect((await change('retry', { ids: ['failed-1'], edit })).body).toMatchObject({ done: ['failed-1'] });
    expect((await dashboard.queues.tasks.getJob('failed-1'))?.data).toEqual({ description: 'Count.', edited: true });
    const [entry] = (await readAuditPage(fleet.inner.db, {}, { limit: 1 })).entries;
    expect(entry).toMatchObject({ before: { effort: 'high', max_turns: 7 }, after: { effort: null, max_turns: null } });
  });

  it('takes a whole task as JSON, with its exact numbers', async () => {
    const { fleet, dashboard, change } = await open();
    const json = '{"description":"Count.","data":{"n":98765432109876543210}}';
    expect((await change('retry', { ids: ['failed-1'], edit: { json } })).body).toMatchObject({ done: ['failed-1'] });
    expect((await fleet.tasks.get('failed-1'))?.state).toBe('waiting');
    const form = (await (await dashboard.ask('/api/jobs/failed-1/edit')).json()) as { json: string };
    expect(form.json).toContain('98765432109876543210');
  });
});

describe('the budget of a task', () => {
  it('is on its page, and a dry run says how many jobs another one releases', async () => {
    const { dashboard } = await open();
    const { redis: connection, keys } = redis;
    await dashboard.queues.tasks.add('task', { description: 'Wait.', budget_usd: 0.01 }, { jobId: 'p-1', delay: 1e9 });
    await connection.hset(keys.parked, 'p-1', JSON.stringify({ scope: 'task', name: 'p-1', queue: 'tasks' }));
    await connection.hset(keys.spend('task:p-1'), { settled: 4_000_000 });
    const read = async (id: string) => (await (await dashboard.ask(`/api/jobs/${id}`)).json()) as { budget: unknown };
    expect((await read('p-1')).budget).toMatchObject({ limit: 10_000_000, settled: 4_000_000 });
    expect((await read('failed-1')).budget).toBeNull();
    const set = async (body: object) => {
      const answer = await dashboard.send('POST', '/api/fleet/budget', { scope: { task: 'p-1' }, ...body });
      return [answer.status, await answer.json()] as const;
    };
    expect(await set({ limitUsd: '0.5', dryRun: true })).toEqual([200, { released: 1 }]);
    expect(await connection.hlen(keys.parked)).toBe(1);
    expect(await set({ limitUsd: '0.5' })).toMatchObject([200, { released: 1, limitNanoUsd: 500_000_000 }]);
    expect([await connection.hlen(keys.parked), (await read('p-1')).budget]).toMatchObject([0, { limit: 500_000_000 }]);
    expect(await set({ limitUsd: '0.5', dryRun: true, scope: { task: 'failed-1' } })).toMatchObject([409, {}]);
  });

  it('is asked again for a parked task that is edited, and not for one whose mission a person set aside', async () => {
    const { fleet, dashboard, change } = await open();
    const { redis: connection, keys } = redis;
    for (const [id, scope] of [
      ['p-1', 'batch'],
      ['p-2', 'parked-mission'],
    ] as const) {
      await dashboard.queues.tasks.add('task', { description: 'Wait.' }, { jobId: id, delay: 1e9 });
      await connection.hset(keys.parked, id, JSON.stringify({ scope, name: 'x', queue: 'tasks' }));
    }
    const retry = async (id: string, edit?: object) => (await change('retry', { ids: [id], edit })).body;
    expect(await retry('p-1')).toMatchObject({ done: [], refused: [{ id: 'p-1' }] });
    expect(await retry('p-2', { maxTurns: 3 })).toMatchObject({ done: [], refused: [{ id: 'p-2' }] });
    expect(await connection.hkeys(keys.parked)).toEqual(['p-1', 'p-2']);
    expect(await retry('p-1', { maxTurns: 3 })).toMatchObject({ done: ['p-1'], refused: [] });
    expect(await connection.hkeys(keys.parked)).toEqual(['p-2']);
    expect((await fleet.tasks.get('p-1'))?.state).toBe('waiting');
    expect(await dashboard.queues.tasks.getJob('p-1')).toMatchObject({ data: { max_turns: 3 } });
  });
});
