import { describe, expect, it } from 'vitest';
import { readAuditPage } from '../../../src/audit/read-audit.ts';
import { listBatches } from '../../../src/tasks/batch/list/list-batches.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { failNext } from '../../support/fleet/fail-next.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();
const DATA = { description: 'Count the files of the folder and say which of them is the largest one', session: 's1' };

/** A failed task, made without a worker. */
async function openWithFailedJob() {
  const dashboard = await startDashboard(fixture);
  const { queues, redis, keys } = dashboard;
  const job = await queues.tasks.add('task', DATA, { jobId: 'task-a' });
  await redis.lrem(keys.queueKey('tasks', 'wait'), 0, 'task-a');
  await redis.zadd(keys.queueKey('tasks', 'failed'), Date.now(), 'task-a');
  await redis.hset(keys.queueKey('tasks', 'task-a'), { failedReason: 'schema: no', finishedOn: Date.now() });
  const edit = (jobData: unknown) =>
    dashboard.send('PATCH', '/queues/api/queues/tasks/task-a/update-data', { jobData });
  const message = async (response: Response) => ((await response.json()) as { message: string }).message;
  return { ...dashboard, job, edit, message };
}

describe('Bull Board', () => {
  it('shows every queue, and a task by its first 60 characters', async () => {
    const { ask } = await openWithFailedJob();
    const answer = await ask('/queues/api/queues?activeQueue=tasks&status=failed');
    const { queues } = (await answer.json()) as { queues: { name: string; jobs: { name: string }[] }[] };
    expect(queues.map((queue) => queue.name)).toEqual(['tasks', 'archive', 'missions']);
    expect(queues[0]?.jobs[0]?.name).toBe('Count the files of the folder and say which of them is the l');
  });

  it('retries a failed job and says so in its log', async () => {
    const { send, queues } = await openWithFailedJob();
    expect((await send('PUT', '/queues/api/queues/tasks/task-a/retry')).status).toBe(204);
    expect(await queues.tasks.getJobState('task-a')).toBe('waiting');
    expect((await queues.tasks.getJobLogs('task-a')).logs).toEqual([
      expect.stringMatching(/ retried by .+, in the dashboard$/),
    ]);
  });

  it('retries as fleet retry does: the batch is open again, and all of a queue leaves out what was cancelled', async () => {
    const { send, queues, db } = await startDashboard(fixture);
    const message = async (response: Response) => ((await response.json()) as { message: string }).message;
    const { redis, keys } = fixture;
    const ids = ['b-1', 'b-2', 'b-3'];
    for (const id of ids) await queues.tasks.add('task', { ...DATA, batch: 'b' }, { jobId: id });
    await redis.zadd(keys.batches, Date.now(), 'b');
    await redis.hset(keys.batch('b'), { tasks: 3, loaded: 1, createdAt: new Date().toISOString() });
    await failNext(fixture, queues.tasks, 'cancelled: by a person');
    for (const _ of [2, 3]) await failNext(fixture, queues.tasks, 'schema: no');
    await redis.sadd(keys.batchFailed('b'), ...ids);
    await redis.zadd(keys.cancelledEnds('tasks'), Date.now(), 'b-1');
    await redis.zadd(keys.cancelled, Date.now(), 'b-1');

    const all = await send('PUT', '/queues/api/queues/tasks/retry/failed');
    expect(await all.json()).toEqual({ retried: 2, skipped: 0 });
    expect(await listBatches(db)).toMatchObject([{ state: 'running', open: 2, failed: 0, cancelled: 1 }]);
    const none = await send('PUT', '/queues/api/queues/tasks/retry/failed');
    expect([none.status, await message(none)]).toEqual([409, expect.stringContaining('one by one')]);

    expect((await send('PUT', '/queues/api/queues/tasks/b-1/retry')).status).toBe(204);
    expect(await listBatches(db)).toMatchObject([{ state: 'running', open: 3, failed: 0, cancelled: 0 }]);
    expect(await redis.zscore(keys.cancelled, 'b-1')).toBeNull();
    const { entries } = await readAuditPage(db, {}, { limit: 5 });
    expect(entries).toMatchObject([
      { what: 'retry', from: 'bull-board', about: { ids: ['b-1'], count: 1 } },
      { what: 'retry', from: 'bull-board', about: { ids: ['b-2', 'b-3'], count: 2 } },
    ]);
  });

  it('retries nothing but failed jobs', async () => {
    const { send, queues, redis, keys } = await openWithFailedJob();
    await redis.zrem(keys.queueKey('tasks', 'failed'), 'task-a');
    await redis.zadd(keys.queueKey('tasks', 'completed'), Date.now(), 'task-a');
    await redis.hset(keys.queueKey('tasks', 'task-a'), 'returnvalue', '{}');
    expect((await send('PUT', '/queues/api/queues/tasks/task-a/retry')).status).toBe(409);
    expect((await send('PUT', '/queues/api/queues/tasks/retry/completed')).status).toBe(409);
    expect(await queues.tasks.getJobState('task-a')).toBe('completed');
  });

  it('keeps a valid edit, both texts in the job log', async () => {
    const { edit, queues } = await openWithFailedJob();
    expect((await edit({ ...DATA, description: 'Count the files' })).status).toBe(200);
    expect((await queues.tasks.getJob('task-a'))?.data).toMatchObject({
      description: 'Count the files',
      session: 's1',
    });
    const { logs } = await queues.tasks.getJobLogs('task-a');
    expect(logs.join('\n')).toContain('the largest one');
    expect(logs.join('\n')).toContain('"Count the files"');
  });

  it.each([
    ['an empty description', { ...DATA, description: '' }, 'description'],
    ['a typing mistake in a key', { ...DATA, descripton: 'x' }, 'descripton'],
    ['a changed stamp', { ...DATA, session: 's2' }, 'session: stamped when enqueued'],
    ['a model without a price', { ...DATA, model: 'no-such-model' }, 'no-such-model'],
    ['something that is no object', ['x'], 'expected an object'],
    ['more than 256 kB', { ...DATA, data: 'x'.repeat(300_000) }, '256 kB'],
  ])('refuses an edit with %s, naming the rule', async (_name, data, rule) => {
    const { edit, message, queues } = await openWithFailedJob();
    const response = await edit(data);
    expect(response.status).toBe(400);
    expect(await message(response)).toContain(rule);
    expect((await queues.tasks.getJob('task-a'))?.data).toEqual(DATA);
  });

  it('keeps keys of another version through an edit', async () => {
    const { edit, job } = await openWithFailedJob();
    await job.updateData({ ...DATA, from_the_future: 1 });
    expect((await edit({ ...DATA, from_the_future: 1, description: 'y' })).status).toBe(200);
  });

  it.each(['obliterate', 'empty', 'clean/failed', 'task-a/clean', 'concurrency', 'rate-limit'])(
    'refuses %s on the server, with the reason',
    async (action) => {
      const { send, message, queues } = await openWithFailedJob();
      const response = await send('PUT', `/queues/api/queues/tasks/${action}`, {});
      expect(response.status).toBe(403);
      expect((await message(response)).length).toBeGreaterThan(20);
      expect(await queues.tasks.getJobState('task-a')).toBe('failed');
    },
  );

  it('does not lift a halt with Resume', async () => {
    const { send, message, queues, redis, keys } = await openWithFailedJob();
    await queues.tasks.pause();
    await redis.set(keys.haltReason, JSON.stringify({ reason: 'budget', step: '', at: '', by: '', detail: '' }));
    const response = await send('PUT', '/queues/api/queues/tasks/resume');
    expect(response.status).toBe(409);
    expect(await message(response)).toContain('fleet resume');
    expect(await queues.tasks.isPaused()).toBe(true);
  });

  it('adds a job with the stamps of the fleet, and refuses an empty one', async () => {
    const { send, queues } = await openWithFailedJob();
    const add = (body: unknown) => send('POST', '/queues/api/queues/tasks/add', body);
    expect((await add({})).status).toBe(400);
    expect((await add({ name: 'task', data: {} })).status).toBe(400);
    expect((await add({ name: 'other', data: { description: 'x' } })).status).toBe(400);
    expect((await add({ name: 'task', data: { description: 'x' }, options: { attempts: 9 } })).status).toBe(400);
    expect((await add({ name: 'task', data: { description: 'by hand' } })).status).toBe(200);
    const [job] = await queues.tasks.getWaiting();
    expect(job?.id).toMatch(/^task-[0-9a-f]{16}$/);
    expect(job?.data).toEqual({ description: 'by hand', session: expect.any(String) });
  });
});
