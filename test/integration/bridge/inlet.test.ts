import { expect, test } from 'vitest';
import { countOlder, eachOlder, takeOlder, type OlderTask } from '../../../src/bridge/older.ts';
import { createSessionReader } from '../../../src/swarm/session.ts';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

async function open(options: { starts?: boolean; site?: Record<string, string> } = {}) {
  const { starts = true, site } = options;
  const fleet = await useFleet(redis, site === undefined ? {} : { site });
  const old = createOldPoster(redis.db);
  const jobs = async () => {
    const all = await fleet.queue.getJobs(['wait', 'delayed', 'active', 'completed', 'failed']);
    return all.map(({ data }) => data as Record<string, unknown>);
  };
  const until = (count: number) => waitUntil(async () => (await jobs()).length >= count);
  const startBridge = () => fleet.startBridge(site === undefined ? {} : { FLEET_BRIDGE_WORKSPACE: 'site' });
  if (starts) await startBridge();
  return { fleet, old, jobs, until, startBridge };
}

test('takes a task that is announced, and one that is not at the next start', async () => {
  const { old, jobs, until, startBridge, fleet } = await open({ starts: false });
  const first = await startBridge();
  await old.post('t:1 é', { description: 'Count', files: ['a.md'], priority: 3 });
  await until(1);
  await first.close();
  await old.store('t2', { description: 'Sort' });
  await redis.redis.hset(redis.keys.oldTask('t3'), {
    description: 'Sum',
    data: '[1,2]',
    type: 'math',
    status: 'pending',
  });
  await startBridge();
  await until(3);
  expect(await jobs()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        description: 'Count',
        files: ['a.md'],
        data: { priority: 3 },
        bridge: { task: 't:1 é', form: 'string' },
      }),
      expect.objectContaining({ description: 'Sort', bridge: { task: 't2', form: 'string' } }),
      expect.objectContaining({
        description: 'Sum',
        topics: ['math'],
        data: { type: 'math', data: [1, 2] },
        bridge: { task: 't3', form: 'hash', type: 'math' },
      }),
    ]),
  );
  expect(await fleet.queue.getJobCounts('failed')).toEqual({ failed: 0 });
});

test('adds the same text once, however often it is posted, and a new text of the same id as a new task', async () => {
  const { old, jobs, until } = await open();
  for (let n = 0; n < 3; n += 1) await old.post('a', { description: 'One', status: `step ${n}` });
  await until(1);
  await old.post('a', { description: 'Two' });
  await until(2);
  await old.post('a', { description: 'One' });
  await old.post('b', { description: 'Last' });
  await until(3);
  expect(new Set((await jobs()).map(({ description }) => description))).toEqual(new Set(['Last', 'One', 'Two']));
  expect(await jobs()).toHaveLength(3);
});

test('lists what is older than its first start, and adds it when a person takes it', async () => {
  const { fleet, old, jobs, until, startBridge } = await open({ starts: false });
  for (const id of ['x', 'y']) await old.store(id, { description: `Old ${id}` });
  await old.store('done', { description: 'Done' });
  await redis.redis.set(redis.keys.oldTask('done', 'result'), 'finding_1');
  const bridge = await startBridge();
  await old.post('new', { description: 'New' });
  await until(1);
  await bridge.close();
  await startBridge();
  expect(await jobs()).toHaveLength(1);

  const place = { workspace: null, root: null, vendors: ['anthropic'] };
  const parts = { db: fleet.inner.db, queue: fleet.queue, currentSession: createSessionReader(redis.db), ...place };
  expect(await countOlder(redis.db)).toBe(2);
  const listed: OlderTask[] = [];
  for await (const task of eachOlder(parts)) listed.push(task);
  expect(listed.map(({ id, problem }) => [id, problem])).toEqual(
    expect.arrayContaining([
      ['x', null],
      ['y', null],
    ]),
  );
  await expect(takeOlder(parts, ['x', 'done'])).rejects.toThrow('task:done is none of those that wait');
  expect(await takeOlder(parts, ['x'])).toEqual([expect.objectContaining({ id: 'x', outcome: 'added' })]);
  expect(await takeOlder(parts, 'all')).toEqual([expect.objectContaining({ id: 'y', outcome: 'added' })]);
  expect(await takeOlder(parts, 'all')).toEqual([]);
  expect(await jobs()).toHaveLength(3);
  // What its workspace forbids holds for a task that comes over the bridge, too; the one that came live had no workspace.
  const stamps = (await jobs()).map(({ description, vendors }) => [description, vendors]);
  expect(Object.fromEntries(stamps)).toEqual({
    New: undefined,
    'Old x': ['anthropic'],
    'Old y': ['anthropic'],
  });
});

test('counts a task that another program has done meanwhile as done, and a new text after it as new', async () => {
  const { old, jobs, until, startBridge } = await open({ starts: false });
  await (await startBridge()).close();
  await old.store('a', { description: 'One' });
  await redis.redis.set(redis.keys.oldTask('a', 'result'), 'finding_a');
  await startBridge();
  await old.post('a', { description: 'One' });
  await old.post('a', { description: 'Two' });
  await until(1);
  expect((await jobs()).map(({ description }) => description)).toEqual(['Two']);
});

test('makes a job of bad input that names the problem, and reads paths in full inside the workspace', async () => {
  const { fleet, old, jobs, until } = await open({ site: { 'a.md': 'a' } });
  await redis.redis.rpush(redis.keys.oldTask('list'), 'x');
  await redis.redis.publish(redis.keys.channelTasks, 'list');
  await redis.redis.publish(redis.keys.channelTasks, 'missing');
  await old.post('words', 'count the files');
  await old.post('empty', { description: ' ' });
  await old.post('out', { description: 'Read', files: ['/etc/passwd'] });
  await old.post('deep', '['.repeat(100_000));
  await old.post('in', { description: 'Read', files: [`${fleet.site}/a.md`] });
  await until(6);
  const problems = Object.fromEntries(
    (await jobs()).map(({ bridge }) => {
      const { task, problem } = bridge as { task: string; problem?: string };
      return [task, problem];
    }),
  );
  expect(problems).toEqual({
    list: 'task:list: expected JSON {description, files} or a hash, got a list',
    words: 'task:words: expected JSON {description, files}, got "count the files"',
    empty: 'task:empty: description: expected words, got none',
    out: 'task:out: files: "/etc/passwd" lies outside of workspace site',
    deep: 'task:deep: expected at most 256 levels of lists and objects',
    in: undefined,
  });
  expect((await jobs()).find(({ files }) => files !== undefined)).toMatchObject({ files: ['a.md'], workspace: 'site' });
});
