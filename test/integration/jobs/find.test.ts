import { Worker, type Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { connectQueues } from '../../../src/jobs/connect-queue.ts';
import { toMessage } from '../../../src/errors.ts';
import { assertJobFilter } from '../../../src/jobs/find/check-filter.ts';
import { eachJob, readJobPage } from '../../../src/jobs/find/list-jobs.ts';
import type { JobFilter, JobPage, ListedJob } from '../../../src/jobs/find/types.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

async function openQueues() {
  const db = await fixture.connectDb();
  const queues = connectQueues(db);
  fixture.cleanup(() => Promise.all(Object.values(queues).map((queue) => queue.close())));
  return { db, ...queues };
}

/** Takes the next job of a queue, and ends it. @param how null: it runs on */
async function end(queue: Queue, how: () => { fails: string } | { returns: object } | null): Promise<void> {
  const worker = new Worker(queue.name, null, {
    connection: fixture.redis,
    prefix: fixture.keys.bullPrefix,
    autorun: false,
    name: 'haiku_box_001',
  });
  const job = await worker.getNextJob('token');
  if (job === undefined) throw new Error('there is no job');
  const ended = how();
  if (ended === null) return worker.close();
  if ('fails' in ended) await job.moveToFailed(new Error(ended.fails), 'token', false);
  else await job.moveToCompleted(ended.returns, 'token', false);
  await worker.close();
}

const list = async (filter: JobFilter = {}): Promise<ListedJob[]> => {
  const jobs: ListedJob[] = [];
  for await (const job of eachJob(fixture.db, filter)) jobs.push(job);
  return jobs;
};
const idsOf = async (filter: JobFilter): Promise<string[]> => (await list(filter)).map(({ id }) => id);

describe('the list of jobs', () => {
  it('has the jobs of every queue and state, with why each does not run', async () => {
    const { tasks, archive, missions, db } = await openQueues();
    const { redis, keys } = db;
    await tasks.add(
      'task',
      { description: 'Count the pears.', batch: 'fruit', model: 'claude-haiku-5-5' },
      { jobId: 'fruit-1' },
    );
    await end(tasks, () => ({ returns: { findingId: 'f-1', costNanoUsd: 3_000_000 } }));
    await storeFindings(fixture, {
      'f-1': {
        task: 'Count the pears.',
        job_id: 'fruit-1',
        model: 'claude-sonnet-5-5',
        worker_id: 'haiku_box_001',
        batch: 'fruit',
      },
    });
    await tasks.add('task', { description: 'Cut the pears.', batch: 'fruit' }, { jobId: 'fruit-2' });
    await end(tasks, () => ({ fails: 'schema: the result has no “count”' }));
    await redis.hset(
      keys.turns('fruit-2'),
      'totals',
      JSON.stringify({ nanoUsd: 40_000, row: 's|fruit||claude-haiku-5-5|w|' }),
    );
    await tasks.add('task', { description: 'Eat the pears.' }, { jobId: 'task-3' });
    await end(tasks, () => ({ fails: 'cancelled: by a person' }));
    await tasks.add(
      'task',
      { description: 'Sell the pears.', client: 'laptop' },
      { jobId: 'task-4', delay: 3_600_000 },
    );
    await redis.rpush(
      keys.jobLogs('tasks', 'task-4'),
      '2026-11-27T01:00:00.000Z waits 30 s: claude-haiku-5-5 is limited (haiku_box_001)',
    );
    await redis.zadd(keys.waits, 1, 'model:claude-haiku-5-5');
    await redis.zadd(keys.waitsFor('model:claude-haiku-5-5'), 1, 'tasks|0|task-4');
    await tasks.add('task', { description: 'Store the pears.' }, { jobId: 'task-5', delay: 10 * 365 * 86_400_000 });
    await redis.hset(keys.parked, 'task-5', JSON.stringify({ scope: 'task', name: 'task-5', queue: 'tasks' }));
    await archive.add('query', { question: 'What is known of pears?', mission_id: 'm-1' }, { jobId: 'query-1' });
    await missions.add('mission', { goal: 'Know all of pears.' }, { jobId: 'm-1' });
    await redis.hset(keys.mission('m-1'), { state: 'asks', problem: 'Which pears?' });
    await redis.hset(keys.spend('mission:m-1'), 'settled', 2_000_000_000);

    await redis.hset(keys.queueKey('missions', 'm-2'), { data: '{"goal":"Eat figs."}', timestamp: 5 });
    await redis.zadd(keys.queueKey('missions', 'waiting-children'), 5, 'm-2');
    await tasks.add('task', { description: 'Wash the figs.', mission_id: 'm-2' }, { jobId: 'task-6' });
    await end(tasks, () => null);

    const jobs = await list({ words: 'PEARS' });
    const shown = Object.fromEntries(jobs.map((job) => [job.id, job]));
    expect(Object.keys(shown).toSorted()).toEqual([
      'fruit-1',
      'fruit-2',
      'm-1',
      'query-1',
      'task-3',
      'task-4',
      'task-5',
    ]);
    expect(jobs.map(({ at }) => at)).toEqual(
      jobs
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect(shown['fruit-1']).toMatchObject({
      state: 'done',
      model: 'claude-sonnet-5-5',
      costUsd: '0.003000',
      finding: 'f-1',
      worker: 'haiku_box_001',
    });
    expect(shown['fruit-2']).toMatchObject({
      state: 'failed',
      reason: 'schema',
      why: 'the result has no “count”',
      model: 'claude-haiku-5-5',
      costNanoUsd: 40_000,
    });
    expect(shown['task-3']).toMatchObject({ state: 'cancelled', reason: 'cancelled', costUsd: null });
    expect(shown['task-4']).toMatchObject({
      state: 'delayed',
      reason: 'model',
      why: 'claude-haiku-5-5 is limited',
      client: 'laptop',
    });
    expect(Date.parse(shown['task-4']?.dueAt ?? '')).toBeGreaterThan(db.clock.now());
    expect(shown['task-5']).toMatchObject({ state: 'parked', reason: 'budget', dueAt: null });
    expect(shown['task-5']?.why).toContain('fleet budget USD --task task-5');
    expect(shown['query-1']).toMatchObject({ kind: 'question', state: 'waiting', mission: 'm-1' });
    expect(shown['m-1']).toMatchObject({
      kind: 'mission',
      state: 'parked',
      reason: 'asks',
      why: 'it asks: Which pears?',
      costUsd: '2.000000',
    });

    expect(await list({ mission: 'm-2' })).toMatchObject([
      { id: 'task-6', state: 'running', worker: 'haiku_box_001', why: null },
      { id: 'm-2', state: 'running', reason: 'children', why: 'waits for its tasks' },
    ]);

    expect(await idsOf({ state: 'cancelled' })).toEqual(['task-3']);
    expect(await idsOf({ state: ['failed', 'parked'], mission: 'm-1' })).toEqual(['m-1']);
    expect(await idsOf({ reason: 'model' })).toEqual(['task-4']);
    expect((await idsOf({ mission: 'm-1' })).toSorted()).toEqual(['m-1', 'query-1']);
    expect((await idsOf({ batch: 'fruit' })).toSorted()).toEqual(['fruit-1', 'fruit-2']);
    expect(await idsOf({ model: 'claude-sonnet-5-5' })).toEqual(['fruit-1']);
    expect(await idsOf({ model: 'claude-haiku-5-5' })).toEqual(['fruit-2']); // the other named it, and another one did it
    expect((await idsOf({ worker: 'haiku_box_001', words: 'pears' })).toSorted()).toEqual([
      'fruit-1',
      'fruit-2',
      'task-3',
    ]);
    expect(await idsOf({ client: 'laptop' })).toEqual(['task-4']);
    expect((await idsOf({ costAboveUsd: '0.001' })).toSorted()).toEqual(['fruit-1', 'm-1']);
    expect(await idsOf({ since: db.clock.now() + 60_000 })).toEqual([]);
    expect(await idsOf({ words: 'fruit-2' })).toEqual(['fruit-2']);
    expect(await idsOf({ words: 'description' })).toEqual([]); // the name of a field
  });

  it('pages through all jobs, each once, while others are added', async () => {
    const { tasks, db } = await openQueues();
    const add = (from: number, to: number) =>
      tasks.addBulk(
        Array.from({ length: to - from }, (_, i) => ({
          name: 'task',
          data: { description: `pear ${from + i}` },
          opts: { jobId: `p-${from + i}` },
        })),
      );
    await add(0, 45);
    for (let n = 0; n < 5; n += 1) await end(tasks, () => ({ fails: 'tool: no pear' }));
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page += 1) {
      const read: JobPage = await readJobPage(
        db,
        { words: 'pear' },
        { limit: 10, ...(cursor === '' ? {} : { cursor }) },
      );
      seen.push(...read.jobs.map(({ id }) => id));
      ({ cursor } = read);
      if (page === 1) await add(45, 50);
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 45 }, (_, i) => `p-${i}`).toSorted());
    const first = await readJobPage(db, { words: 'pear' }, { limit: 10 });
    await expect(readJobPage(db, { words: 'fig' }, { cursor: first.cursor ?? '' })).rejects.toThrow(
      'cursor: it is of a list with other filters',
    );
    await expect(readJobPage(db, {}, { cursor: 'abc' })).rejects.toThrow(
      'cursor: expected the one that the page before ended with',
    );
  });

  it('finds a finished job that BullMQ has dropped by its finding, once', async () => {
    const { tasks } = await openQueues();
    await tasks.add('task', { description: 'Count the figs.' }, { jobId: 'task-1' });
    await end(tasks, () => ({ returns: { findingId: 'f-1', costNanoUsd: 1_000 } }));
    await storeFindings(fixture, {
      'f-1': { task: 'Count the figs.', job_id: 'task-1', result: 'seven figs' },
      'f-2': {
        task: 'Count the plums.',
        job_id: 'task-2',
        result: { figs: 'none' },
        files_changed: [],
        cost: 0.5,
        session: 's',
        model: 'claude-haiku-5-5',
      },
      'f-3': { task: 'Of another program: figs' },
      'archive_q-1': { task: 'Where are figs?', job_id: 'q-1', kind: 'archive', result: 'in lib' },
    });
    expect((await idsOf({ words: 'figs' })).toSorted()).toEqual(['q-1', 'task-1']); // a result is no word of its job
    expect(await list({ words: 'plums', model: 'claude-haiku-5-5', costAboveUsd: 0.4 })).toMatchObject([
      { id: 'task-2', state: 'done', costUsd: '0.500000', finding: 'f-2', session: 's', addedAt: null },
    ]);
    expect(await idsOf({ words: 'plums', costAboveUsd: '0.5' })).toEqual([]);
    await tasks.remove('task-1');
    expect((await idsOf({ words: 'figs', state: 'done' })).toSorted()).toEqual(['q-1', 'task-1']);
    expect(await idsOf({ words: 'figs', state: 'failed' })).toEqual([]);
  });

  it('compares words whatever their case and letters, in the texts alone', async () => {
    const { tasks } = await openQueues();
    const texts = ['Die ÄPFEL zählen', 'Считать ГРУШИ', '梨を数える', 'Say "ripe" in TaskList', 'a\tb C:\\pears'];
    for (const [i, description] of texts.entries()) {
      await tasks.add(
        'task',
        { description, session: 's', data: { colour: 'red', model: 'T-800' } },
        { jobId: `t-${i}` },
      );
    }
    expect(await idsOf({ words: 'äpfel' })).toEqual(['t-0']);
    expect(await idsOf({ words: 'груши' })).toEqual(['t-1']);
    expect(await idsOf({ words: '数える' })).toEqual(['t-2']);
    expect(await idsOf({ words: 'tasklist ripe' })).toEqual(['t-3']);
    expect(await idsOf({ words: 'c:\\pears' })).toEqual(['t-4']);
    expect(await idsOf({ words: 'colour t-800' })).toHaveLength(5);
    expect(await idsOf({ model: 'T-800' })).toEqual([]); // its data names it, not the task
    expect(await idsOf({ words: 'session' })).toEqual([]);
  });

  it('sends the same commands for the first page at no job and at many', async () => {
    const { tasks, db } = await openQueues();
    const count = async (): Promise<number> => {
      await readJobPage(db, {});
      await fixture.redis.config('RESETSTAT');
      const { jobs } = await readJobPage(db, {});
      expect(jobs.length).toBeLessThanOrEqual(20);
      const stats = await fixture.redis.info('commandstats');
      expect(stats).not.toMatch(/cmdstat_(keys|scan|hscan|zscan|lpos)\b/);
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    };
    const atNone = await count();
    await tasks.addBulk(
      Array.from({ length: 3_000 }, (_, i) => ({
        name: 'task',
        data: { description: `pear ${i}` },
        opts: { jobId: `job-${i}-x` },
      })),
    );
    expect(await count()).toBe(atNone);

    const oldest = { words: '"pear 0"' };
    const part = await readJobPage(db, oldest, { mostLooked: 1 }); // a whole part of each source is read
    expect(part).toMatchObject({ jobs: [], stoppedEarly: true, looked: 1_000 });
    const whole = await readJobPage(db, oldest, { cursor: part.cursor ?? '' });
    expect(whole).toMatchObject({ jobs: [{ text: 'pear 0' }], looked: 2_000, cursor: null });
    const id = whole.jobs[0]?.id ?? '';
    const byId = await readJobPage(db, { words: id }, { mostLooked: 1 }); // a job of this id is not searched for
    expect(byId).toMatchObject({ jobs: [{ id, text: 'pear 0' }], stoppedEarly: true });
    expect(await idsOf({ words: id })).toEqual([id]);
  });

  it('ends a step after few jobs where their findings are large', async () => {
    const { tasks, db } = await openQueues();
    for (const id of ['a', 'b', 'c']) {
      await tasks.add('task', { description: 'Count the pears.' }, { jobId: `job-${id}` });
      await end(tasks, () => ({ returns: { findingId: `f-${id}` } }));
      await storeFindings(fixture, { [`f-${id}`]: { task: 'Count', result: 'x'.repeat(1_500_000), model: 'm-one' } });
    }
    const filter = { model: 'm-two', state: 'done' } as const;
    const part = await readJobPage(db, filter, { mostLooked: 1 });
    expect(part).toMatchObject({ jobs: [], looked: 4, stoppedEarly: true }); // two jobs, and two findings
    expect(await idsOf(filter)).toEqual([]);
  });

  it('passes over what another program has replaced', async () => {
    const { tasks, db } = await openQueues();
    const { redis, keys } = db;
    await tasks.add('task', { description: 'Count the pears.' }, { jobId: 'whole' });
    await tasks.add('task', {}, { jobId: 'replaced' });
    await redis.set(keys.queueKey('tasks', 'replaced'), 'pears');
    await redis.set(keys.queueKey('tasks', 'failed'), 'pears');
    await redis.set(keys.turns('whole'), 'pears');
    await redis.hset(keys.queueKey('tasks', 'odd'), { data: 'pears', timestamp: 'never' });
    await redis.lpush(keys.queueKey('tasks', 'wait'), 'odd', 'gone');
    expect((await idsOf({ words: 'pears' })).toSorted()).toEqual(['whole']);
    expect(await list({ state: 'waiting' })).toMatchObject([{ id: 'whole' }, { id: 'odd', text: '', addedAt: null }]);
  });

  it('names what a wrong filter must be', () => {
    const refusal = (filter: object): string => {
      try {
        assertJobFilter(filter);
        return '';
      } catch (error) {
        return toMessage(error);
      }
    };
    expect(refusal({ state: 'completed' })).toContain('got "completed"; did you mean done?');
    expect(refusal({ state: ['done', 'aktive'] })).toContain('did you mean running?');
    expect(refusal({ reason: 'shema' })).toContain('did you mean schema?');
    expect(refusal({ costAboveUsd: 'much' })).toBe('costAboveUsd: expected decimal dollars, 0 or more, got "much"');
    expect(refusal({ batch: ' ' })).toContain('batch: expected a text');
    expect(refusal({ since: NaN })).toContain('since: expected ms since 1970');
  });
});
