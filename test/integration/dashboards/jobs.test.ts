import { Worker } from 'bullmq';
import { describe, expect, it } from 'vitest';
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
