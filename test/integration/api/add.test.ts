import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RedisUnusableError, UsageError } from '../../../src/errors.ts';
import { connectFleet } from '../../../src/api/connect-fleet.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { makeFolder } from '../../support/folder.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();
const describeTask = (n: number): { description: string } => ({ description: `task ${n}` });

function* generate(count: number): Generator<{ description: string }> {
  for (let i = 1; i <= count; i += 1) yield describeTask(i);
}

async function* generateLater(count: number): AsyncGenerator<{ description: string }> {
  yield* generate(count);
}

describe('add()', () => {
  it('refuses files that the workspace on this host does not have, unless the task is to make them', async () => {
    const site = makeFolder();
    writeFileSync(join(site, 'there.txt'), 'tea\n');
    const fleet = await useFleet(redis, { env: { FLEET_WORKSPACES: `site=${site}` } });
    const task = { ...describeTask(1), workspace: 'site' };
    await fleet.tasks.add({ ...task, files: ['there.txt'] });
    const wrong = { ...task, files: ['there.txt', 'their.txt'] };
    await expect(fleet.tasks.add(wrong, { taskId: 'twice' })).rejects.toThrow(
      'files: workspace site has no "their.txt"; correct the path, or give allowMissing: true',
    );
    expect(await fleet.queue.getWaitingCount()).toBe(1);
    expect((await fleet.tasks.add(wrong, { taskId: 'twice', allowMissing: true })).added).toBe(true);
    expect((await fleet.tasks.add(wrong, { taskId: 'twice' })).added).toBe(false); // it is there: nothing to refuse
    await expect(fleet.tasks.add({ ...task, files: ['../x'] })).rejects.toThrow('leaves the workspace');
  });
});

describe('addMany()', () => {
  it.each([
    ['an array', (): Iterable<{ description: string }> => [...generate(3)]],
    ['a generator', () => generate(3)],
    ['a set', () => new Set(generate(3))],
    ['an async generator', () => generateLater(3)],
  ])('takes %s', async (_, tasks) => {
    const fleet = await useFleet(redis);
    const report = await fleet.tasks.addMany(tasks());
    expect(report).toMatchObject({ read: 3, added: 3, existing: 0, invalid: 0, batch: null, problems: [] });
    const jobs = await Promise.all(report.ids.map((id) => fleet.queue.getJob(id)));
    expect(jobs.map((job) => job?.data.description)).toEqual(['task 1', 'task 2', 'task 3']);
  });

  it('adds in chunks, telling how far it is, and holds one chunk at a time', async () => {
    const fleet = await useFleet(redis);
    const progress: number[] = [];
    let ahead = 0; // most tasks drawn beyond what was added
    function* drawn(): Generator<{ description: string }> {
      for (let i = 1; i <= 1_201; i += 1) {
        ahead = Math.max(ahead, i - (progress.at(-1) ?? 0));
        yield describeTask(i);
      }
    }
    await fleet.tasks.addMany(drawn(), { onProgress: ({ added }) => progress.push(added) });
    expect(progress).toEqual([500, 1_000, 1_201]);
    expect(ahead).toBeLessThanOrEqual(501);
    expect(await fleet.queue.getWaitingCount()).toBe(1_201);
  });

  it('adds only what is missing when a batch is loaded again', async () => {
    const fleet = await useFleet(redis);
    await fleet.tasks.addMany(generate(3), { batch: 'nightly' });
    const again = await fleet.tasks.addMany(generate(5), { batch: 'nightly' });
    expect(again).toMatchObject({ added: 2, existing: 3 });
    expect(again.ids).toEqual([1, 2, 3, 4, 5].map((line) => `nightly-${line}`));
    expect(await fleet.batch('nightly')).toMatchObject({ batch: 'nightly', tasks: 5, completed: 0, failed: 0 });
  });

  it('reports what breaks a rule by its line and adds the rest', async () => {
    const fleet = await useFleet(redis);
    const invalid: number[] = [];
    const tasks = [describeTask(1), { description: '' }, { description: 'x', colour: 'red' } as never, describeTask(4)];
    const report = await fleet.tasks.addMany(tasks, { onInvalid: (line) => invalid.push(line) });
    expect(report).toMatchObject({ read: 4, added: 2, invalid: 2 });
    expect(report.problems).toMatchObject([
      { line: 2, message: expect.stringMatching(/^task: description: /) },
      { line: 3, message: expect.stringMatching(/^task: .*"colour"/) },
    ]);
    expect(invalid).toEqual([2, 3]);
  });

  it('keeps what was added when its source fails', async () => {
    const fleet = await useFleet(redis);
    function* failing(): Generator<{ description: string }> {
      yield* generate(500);
      throw new Error('the file ended in the middle');
    }
    await expect(fleet.tasks.addMany(failing(), { batch: 'cut' })).rejects.toThrow('the file ended in the middle');
    expect(await fleet.tasks.addMany(generate(501), { batch: 'cut' })).toMatchObject({ added: 1, existing: 500 });
  });

  it.each([
    ['a text', 'tasks.jsonl'],
    ['one task', { description: 'x' }],
    ['nothing', undefined],
  ])('refuses %s instead of tasks', async (_, given) => {
    const fleet = await useFleet(redis);
    await expect(fleet.tasks.addMany(given as never)).rejects.toThrow(
      /^tasks: expected an array or another iterable, got/,
    );
  });
});

describe('add()', () => {
  it('reports a task of the same id with its state and adds nothing', async () => {
    const fleet = await useFleet(redis);
    expect(await fleet.tasks.add(describeTask(1), { taskId: 'mine' })).toMatchObject({ added: true, state: 'waiting' });
    expect(await fleet.tasks.add(describeTask(2), { taskId: 'mine' })).toMatchObject({
      added: false,
      state: 'waiting',
    });
    await fleet.startHaiku(createScriptedModel(() => 'tea'));
    const third = await fleet.tasks.add(describeTask(3), { taskId: 'mine' });
    await expect(third.finding({ timeoutMs: 10_000 })).resolves.toMatchObject({ task: 'task 1' });
    expect(await fleet.tasks.add(describeTask(4), { taskId: 'mine' })).toMatchObject({
      added: false,
      state: 'completed',
    });
  });

  it.each(['with:colon', '123', '', 'white space', 'x'.repeat(201)])('refuses %j as an id', async (taskId) => {
    const fleet = await useFleet(redis);
    await expect(fleet.tasks.add(describeTask(1), { taskId })).rejects.toThrow(/^task id: expected letters, digits/);
  });

  it('refuses a finding id that is promised or written', async () => {
    const fleet = await useFleet(redis);
    await redis.redis.set(redis.keys.finding('written'), '{}');
    await fleet.tasks.add({ ...describeTask(1), finding_id: 'promised' });
    for (const finding_id of ['written', 'promised']) {
      await expect(fleet.tasks.add({ ...describeTask(2), finding_id })).rejects.toThrow(UsageError);
    }
  });

  it('fails in plain words when Redis is full, and works again when it is not', async () => {
    const fleet = await useFleet(redis);
    await fleet.tasks.add(describeTask(1));
    await redis.redis.config('SET', 'maxmemory', '1mb');
    const refused = fleet.tasks.add({ ...describeTask(2), data: 'x'.repeat(1_000) });
    await expect(refused).rejects.toThrow(RedisUnusableError);
    await expect(refused).rejects.toThrow(/is full and takes nothing more/);
    await redis.redis.config('SET', 'maxmemory', '0');
    await expect(fleet.tasks.add(describeTask(3))).resolves.toMatchObject({ added: true });
  });
});

describe('connectFleet()', () => {
  it('says where it looked for a Redis that is not there', async () => {
    const port = await findFreePort();
    const connecting = connectFleet({ redisUrl: `redis://127.0.0.1:${port}` });
    await expect(connecting).rejects.toThrow(RedisUnusableError);
    await expect(connecting).rejects.toThrow(`Redis is not reachable at 127.0.0.1:${port}; `);
  });

  it('names a wrong option as the variable it stands for', async () => {
    await expect(connectFleet({ redisUrl: 'http://x' })).rejects.toThrow(/REDIS_URL: expected an address/);
    await expect(connectFleet({ redisUrl: redis.url, swarm: 'Not A Swarm' })).rejects.toThrow(/FLEET_SWARM: expected/);
  });

  it('hands out what a script needs, and no connection of its own', async () => {
    const fleet = await connectFleet({ redisUrl: redis.url, swarm: redis.swarm });
    redis.cleanup(() => fleet.close());
    expect(Object.keys(fleet)).toEqual(
      expect.arrayContaining(['tasks', 'findings', 'status', 'batch', 'costs', 'close']),
    );
    expect(fleet).not.toHaveProperty('inner');
    expect(await fleet.status()).toMatchObject({ swarm: redis.swarm, tasksWithoutWorker: 0 });
    expect(await fleet.costs({ by: 'model' })).toMatchObject({ by: 'model', rows: [], total: { costNano: 0 } });
    for (const wrong of [{ by: 'colour' }, { only: { colour: 'red' } }] as object[]) {
      await expect(fleet.costs(wrong)).rejects.toThrow(
        'costs: expected session, day, batch, mission, vendor, model, worker, client, shard, rule, route, got "colour"',
      );
    }
    await expect(fleet.batch('nothing')).rejects.toThrow(UsageError);
  });
});
