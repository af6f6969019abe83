import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coolDown } from '../../../src/jobs/outcomes/backoff.ts';
import { makeFolder } from '../../support/folder.ts';
import { useFleet, type FleetSetup, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { surveyWorkspace } from '../../../src/haiku/built-in/survey.ts';

const redis = useRedis();

const SITE = {
  'README.md': '# Tea\n',
  'src/deep/tea.ts': 'export const tea = "Grüße";\n',
  '.github/build.yml': 'on: push\n',
  '.env': 'PASSWORD=no-real-one\n',
  'node_modules/left/index.js': '1',
  '.git/config': '[core]',
};
const TASK = { description: 'List every file.', workspace: 'site', built_in: 'survey' as const };

async function openSite(setup: FleetSetup = {}): Promise<{ fleet: TestFleet; calls: unknown[] }> {
  const model = createScriptedModel(() => 'by a model');
  return { fleet: await useFleet(redis, { site: SITE, haiku: model, ...setup }), calls: model.calls };
}

const survey = (root: string): ReturnType<typeof surveyWorkspace> =>
  surveyWorkspace({ name: 'site', root }, new AbortController().signal);

describe('a survey', () => {
  test('lists the files that tools may open, with their bytes, and asks no model', async () => {
    const { fleet, calls } = await openSite();
    const job = await fleet.tasks.add({ ...TASK, topics: ['site'] });
    expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({
      job_id: job.id,
      result: {
        total: 3,
        files: [
          { path: '.github/build.yml', bytes: 9 },
          { path: 'README.md', bytes: 6 },
          { path: 'src/deep/tea.ts', bytes: 30 },
        ],
      },
      summary: '3 files in workspace site',
      kind: 'survey',
      model: 'none',
      cost: 0,
      tokens_used: 0,
      topics: ['site'],
    });
    expect(calls).toHaveLength(0);
    expect(await fleet.logs(job.id)).toContain('survey: 3 files in workspace site (no model, ');
    expect(await redis.redis.exists(redis.keys.turns(job.id))).toBe(0);
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
  });

  test('costs nothing in any report', async () => {
    const { fleet } = await openSite();
    await (await fleet.tasks.add({ description: 'Say it.' })).finding({ timeoutMs: 10_000 });
    const before = await fleet.costs({ by: 'model' });
    await (await fleet.tasks.add(TASK)).finding({ timeoutMs: 10_000 });
    const { rows, total } = await fleet.costs({ by: 'model' });
    expect(rows).toMatchObject([{ name: 'claude-haiku-5-5' }, { name: null, tasks: 1, calls: 0, costNano: 0 }]);
    expect(total).toEqual({ ...before.total, tasks: 2 });
  });

  test('does not wait for a model that cools down', async () => {
    const { fleet } = await openSite();
    await coolDown(redis.db, 'claude-haiku-5-5', 60_000);
    expect(await (await fleet.tasks.add(TASK)).finding({ timeoutMs: 10_000 })).toMatchObject({ kind: 'survey' });
  });

  test('waits like any task while the fleet is halted', async () => {
    const { fleet } = await openSite();
    await fleet.halt.halt({ reason: 'person', step: 'test', by: 'test', detail: '' });
    const job = await fleet.tasks.add(TASK);
    await fleet.halt.resume('test');
    await fleet.until(job.id, 'completed');
  });

  test('is stored once, however often its job runs', async () => {
    const { fleet } = await openSite();
    const job = await fleet.tasks.add(TASK, { taskId: 'list' });
    const first = await job.finding({ timeoutMs: 10_000 });
    await fleet.queue.remove('list');
    await fleet.queue.add('task', TASK, { jobId: 'list' });
    await fleet.until('list', 'completed');
    expect(await job.finding()).toEqual(first);
    expect(await fleet.findings.count()).toBe(1);
  });

  test('fails where the workspace is not known here, and where its list breaks the task’s schema', async () => {
    const { fleet } = await openSite();
    const bad = await fleet.tasks.add({ ...TASK, schema: { type: 'object', required: ['pages'] } });
    expect((await fleet.until(bad.id, 'failed')).failedReason).toMatch(/^schema: the list of files does not fit/);
    await fleet.queue.add('task', { ...TASK, workspace: 'elsewhere' }, { jobId: 'elsewhere' });
    expect((await fleet.until('elsewhere', 'failed')).failedReason).toMatch(/^workspace: /);
  });

  test('is refused without a workspace', async () => {
    const { fleet } = await openSite();
    const { workspace: _workspace, ...without } = TASK;
    await expect(fleet.tasks.add(without)).rejects.toThrow('built_in: survey lists a workspace');
  });
});

describe('the list of files', () => {
  test('leaves out links, also those that lead outside', async () => {
    const root = makeFolder({ 'a.md': 'a' });
    const outside = makeFolder({ 'secret.md': 'no' });
    symlinkSync(outside, join(root, 'out'));
    symlinkSync(join(root, 'a.md'), join(root, 'b.md'));
    expect(await survey(root)).toEqual({ total: 1, files: [{ path: 'a.md', bytes: 1 }] });
  });

  test('names those nearest to the top where all would not fit, and counts the others', async () => {
    const root = makeFolder({ 'a.md': '', 'z/b.md': '' });
    mkdirSync(join(root, 'deep', 'er'), { recursive: true });
    const name = 'x'.repeat(200);
    for (let i = 0; i < 1_000; i += 1) writeFileSync(join(root, 'deep', 'er', `${name}${i}`), '');
    const { total, files } = await survey(root);
    expect(total).toBe(1_002);
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['a.md', 'z/b.md']));
    expect(JSON.stringify(files).length).toBeLessThan(205_000);
    expect(files.length).toBeGreaterThan(800);
    expect(files.map(({ path }) => path)).toEqual(files.map(({ path }) => path).toSorted());
  });
});
