import { mkdirSync, symlinkSync } from 'node:fs';
import { FlowProducer, Worker } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const shell = useShell(redis);

/** A fleet with one worker, and our queue as another program opens it. */
async function start() {
  const fleet = await useFleet(redis, { site: { 'a.txt': 'one' } });
  const model = createScriptedModel(() => 'tea');
  await fleet.startHaiku(model);
  return { fleet, model, queue: await openBareQueue(redis, 'tasks') };
}

async function openFlows() {
  const flows = new FlowProducer({ connection: await redis.connect(), prefix: redis.keys.bullPrefix });
  redis.cleanup(() => flows.close());
  return flows;
}

const CHILD = { name: 'task', queueName: 'tasks', data: { description: '' } }; // no task: it fails as invalid-job

describe('a job of another program', () => {
  it('fails once and stays with its reason, whatever it allows', async () => {
    const { fleet, queue } = await start();
    const opts = { removeOnFail: true, removeOnComplete: true, attempts: 5, backoff: { type: 'fixed', delay: 10 } };
    const { id = '' } = await queue.add('task', { description: '' }, opts);
    const job = await fleet.until(id, 'failed');
    expect(job.failedReason).toMatch(/^invalid-job: /);
    expect(job.attemptsMade).toBe(1);
    expect(await fleet.logs(id)).toContain('it allows 5 attempts; the fleet makes one');
    const status = await fleet.status();
    expect(status.failed).toEqual([{ queue: 'tasks', reason: 'invalid-job', count: 1 }]);
    expect((await shell.run('failed')).stdout).toContain(id);
  });

  it('is done, however it was added', async () => {
    const { fleet, queue } = await start();
    const data = { description: 'Say tea' };
    const jobs = await Promise.all([
      queue.add('task', data, { delay: 50 }),
      queue.add('task', data, { priority: 7 }),
      queue.add('task', data, { lifo: true }),
      queue.add('task', data, { jobId: `odd "id' \u001B[2J ü/../% #` }),
      queue.add('task', data, { removeOnComplete: true }),
    ]);
    await queue.upsertJobScheduler('every-day', { every: 86_400_000 }, { name: 'task', data });
    await waitUntil(async () => (await fleet.status()).findings.live === jobs.length + 1);
    const status = await fleet.status();
    expect(status.failed).toEqual([]);
    expect(status.schedulers).toEqual([
      { queue: 'tasks', id: 'every-day', when: 'every 86400 s', nextAt: expect.any(String) as string },
    ]);
    expect((await shell.run('status')).stdout).toMatch(
      /Schedulers: +every-day on tasks \(every 86400 s\): another program/,
    );
    expect((await shell.run('doctor')).stdout).toMatch(
      /schedulers +of other programs: every-day on tasks: every 86400 s, next at/,
    );
  });

  it.each([
    ['what lies above', '../x'],
    ['an absolute path', '/etc/passwd'],
    ['what a link leads to outside', 'out/x'],
    ['a link to what does not exist outside', 'dangling'],
    ['a NUL byte', 'a\0b'],
    ['a path that is too long', `${'x/'.repeat(3_000)}y`],
  ])('fails before any call where its files name %s', async (_what, file) => {
    const { fleet, model, queue } = await start();
    mkdirSync(`${shell.folder}/elsewhere`);
    symlinkSync(`${shell.folder}/elsewhere`, `${fleet.site}/out`);
    symlinkSync(`${shell.folder}/nothing`, `${fleet.site}/dangling`);
    const { id = '' } = await queue.add('task', { description: 'Say tea', workspace: 'site', files: [file] });
    expect((await fleet.until(id, 'failed')).failedReason).toMatch(/^invalid-job: .*files/);
    expect(model.calls).toHaveLength(0);
  });
});

describe('a flow of another program', () => {
  it('that waits for a child that failed is counted and named', async () => {
    const { fleet } = await start();
    const flows = await openFlows();
    const flow = await flows.add({ ...CHILD, data: { description: 'Sum up' }, children: [CHILD] });
    const [parent, child] = [flow.job.id ?? '', flow.children?.[0]?.job.id ?? ''];
    await fleet.until(child, 'failed');
    const [blocked] = (await fleet.status()).blocked;
    expect(blocked).toMatchObject({ queue: 'tasks', id: parent, why: expect.stringMatching(/^invalid-job/) as string });
    const { stdout } = await shell.run('failed');
    expect(stdout).toContain(`❌ blocked: 1 job\n   ${parent}`);
    expect(stdout).toContain(child);
    expect((await shell.run('status')).stdout).toMatch(new RegExp(`Blocked: +${parent} waits for a child that failed`));
  });

  it('whose child is gone without a trace is named, too', async () => {
    const { fleet } = await start();
    const flows = await openFlows();
    const child = { name: 'x', queueName: 'foreign', data: {} };
    const flow = await flows.add({ ...CHILD, data: { description: 'Sum up' }, children: [child] });
    expect((await fleet.status()).blocked).toEqual([]); // it waits for a worker of another program
    await redis.redis.del(redis.keys.queueKey('foreign', flow.children?.[0]?.job.id ?? ''));
    expect((await fleet.status()).blocked).toMatchObject([{ id: flow.job.id, why: null }]);
  });

  it.each([
    [{ failParentOnFailure: true, removeOnFail: true }, 'failed'],
    [{ ignoreDependencyOnFailure: true }, 'completed'],
    [{ continueParentOnFailure: true }, 'completed'],
  ] as const)('whose child says %j goes on as it says', async (opts, state) => {
    const { fleet, queue } = await start();
    const flows = await openFlows();
    const flow = await flows.add({
      ...CHILD,
      data: { description: 'Sum up' },
      opts: { removeOnFail: true },
      children: [{ ...CHILD, opts }],
    });
    await fleet.until(flow.job.id ?? '', state);
    expect(await queue.getJobCountByTypes('failed')).toBe(state === 'failed' ? 2 : 1);
    expect((await fleet.status()).blocked).toEqual([]);
  });

  it('in a foreign queue gets the finding of its child', async () => {
    await start();
    const flows = await openFlows();
    const child = { ...CHILD, data: { description: 'Say tea' } };
    await flows.add({ name: 'parent', queueName: 'foreign', data: {}, children: [child] });
    const values: object[] = [];
    const worker = new Worker(
      'foreign',
      async (job) => {
        values.push(...Object.values(await job.getChildrenValues<object>()));
      },
      { connection: await redis.connect(), prefix: redis.keys.bullPrefix },
    );
    redis.cleanup(() => worker.close());
    await waitUntil(() => values.length === 1);
    expect(values[0]).toMatchObject({ findingId: expect.stringMatching(/^finding_/) as string });
  });
});
