import { expect, test } from 'vitest';
import type { ReportOptions } from '../../../src/outside/types.ts';
import { createForgetting } from '../../../src/jobs/forget/forget.ts';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SCHEMA = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] } as const;

async function add(fleet: TestFleet, more: object = {}): Promise<string> {
  return (await fleet.tasks.add({ description: 'Count the lines', for: 'outside', ...more })).id;
}

const DONE = createScriptedModel(() => 'by the fleet');

/** Claims what is there. */
async function claim(fleet: TestFleet, as = 'agent-1', more: object = {}) {
  const claimed = await fleet.outside.claim({ as, ...more });
  return claimed ?? expect.fail('nothing was offered');
}

function report(
  fleet: TestFleet,
  { task_id: taskId, lease }: { task_id: string; lease: string },
  more: Partial<ReportOptions> = {},
) {
  return fleet.outside.report({ taskId, lease, result: 'three lines', ...more });
}

/** Ends a lease now, as time would. */
async function endLease(taskId: string): Promise<void> {
  await redis.redis.zadd(redis.keys.outsideLeases, Date.now() - 1_000, taskId);
}

test('a reported finding names its worker, and what it used is no cost and no task of the models', async () => {
  const fleet = await useFleet(redis);
  const known = await claim(fleet, 'agent-0', { task: await add(fleet) });
  const { finding_id: cited } = await report(fleet, known);
  const id = await add(fleet, { kind: 'docs', topics: ['t'], data: { n: 1 }, schema: SCHEMA });
  const claimed = await claim(fleet);
  expect(claimed).toMatchObject({
    task_id: id,
    task: { id, description: 'Count the lines', kind: 'docs', data: { n: 1 } },
  });
  expect((await fleet.status()).queues[0]).toMatchObject({ active: 1 });

  const use = { tokens: { input: 1_000, output: 20 }, costUsd: 0.5 };
  const answer = await report(fleet, claimed, { result: { lines: 3 }, files: ['a.md'], citations: [cited], ...use });
  expect(answer).toEqual({ recorded: 'recorded', task_id: id, finding_id: claimed.task.finding_id });
  expect(await fleet.findings.get(answer.finding_id)).toMatchObject({
    worker_id: 'agent-1',
    vendor: 'outside:agent-1',
    result: { lines: 3 },
    files_changed: ['a.md'],
    citations: [cited],
    tokens_used: 0,
    cost: 0,
    unmetered: { input: 1_000, output: 20, cost: 0.5 },
  });
  expect(await fleet.queue.getJobState(id)).toBe('completed');
  const { spend } = await fleet.status();
  expect(Object.values(spend).map(({ tasks, nanoUsd }) => tasks + nanoUsd)).toEqual([0, 0, 0, 0]);
  const { total } = await fleet.costs();
  const unmetered = { tasks: 2, inputTokens: 1_000, outputTokens: 20, costNano: 500_000_000 };
  expect(total).toMatchObject({ tasks: 0, costNano: 0, allSonnetNano: 0, unmetered });
  expect(await redis.redis.hgetall(redis.keys.sessionTotals((await fleet.status()).session.name ?? ''))).toMatchObject({
    'unmetered:tasks': '2',
    'unmetered:input': '1000',
    'unmetered:nano': '500000000',
  });
});

test('a result that breaks the schema, and a citation of nothing, leave the lease as it is', async () => {
  const fleet = await useFleet(redis);
  await add(fleet, { schema: SCHEMA });
  const claimed = await claim(fleet);
  await expect(report(fleet, claimed, { result: { lines: 'three' } })).rejects.toThrow(
    /schema: .*lines.*; the lease still holds/,
  );
  await expect(report(fleet, claimed, { result: { lines: 3 }, citations: ['finding_none'] })).rejects.toThrow(
    /finding_none/,
  );
  await expect(report(fleet, claimed, { result: { lines: 3 }, files: ['/etc/passwd'] })).rejects.toThrow(/relative/);
  expect(await report(fleet, claimed, { result: '{"lines":3}' })).toMatchObject({ recorded: 'recorded' });
  expect((await fleet.findings.list())[0]).toMatchObject({ result: { lines: 3 } });
});

test('a repeated report is recorded already; another one is refused, and the first stands', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const claimed = await claim(fleet);
  await report(fleet, claimed);
  expect(await report(fleet, claimed)).toMatchObject({ recorded: 'already' });
  await expect(report(fleet, claimed, { result: 'four lines' })).rejects.toThrow(
    /finding finding_\w+ of agent-1 stands/,
  );
  await expect(fleet.outside.renew({ taskId: id, lease: claimed.lease })).rejects.toThrow(/stands/);
  expect((await fleet.findings.list()).map(({ result }) => result)).toEqual(['three lines']);
});

test('a report whose process died before its job ended is ended by the next look', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const claimed = await claim(fleet);
  const text = JSON.stringify({ job_id: id, result: 'three lines', files_changed: [] });
  await redis.redis.set(redis.keys.finding(claimed.task.finding_id), text); // as the one script left it
  await endLease(id);
  expect(await fleet.outside.claim({ as: 'agent-2' })).toBeNull();
  expect(await fleet.queue.getJobState(id)).toBe('completed');
});

test('a lost lease offers the task again, visibly; the late report is refused with who has it', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const first = await claim(fleet, 'agent-1', { leaseMs: 1_000 });
  await endLease(id);
  await expect(report(fleet, first)).rejects.toThrow(/lease is over.*claim it anew/);
  const second = await claim(fleet, 'agent-2');
  expect(second.task_id).toBe(id);
  await expect(report(fleet, first)).rejects.toThrow(/agent-2 has it until \d{4}-/);
  await report(fleet, second, { result: 'four lines' });
  await expect(report(fleet, first)).rejects.toThrow(/of agent-2 stands/);
  expect((await fleet.findings.list()).map(({ result }) => result)).toEqual(['four lines']);
  const { logs } = await fleet.queue.getJobLogs(id);
  expect(logs.join('\n')).toContain('lease lost: agent-1');
  expect((await fleet.status()).counters).toMatchObject({ outside_leases_lost: 1 });
});

test('a lost lease of a task for anyone is no death of a worker', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet, { for: 'any' });
  await claim(fleet, 'agent-1', { leaseMs: 1_000 });
  await endLease(id);
  await fleet.startHaiku(DONE);
  await waitUntil(async () => (await fleet.queue.getJobState(id)) === 'completed');
  expect((await fleet.queue.getJob(id))?.stalledCounter).toBe(0);
  expect((await fleet.status()).counters).not.toHaveProperty('recoveries');
});

test('a worker of the fleet puts a task for outside workers back to being offered', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const claimed = await claim(fleet);
  await fleet.outside.fail({ taskId: id, lease: claimed.lease, why: 'no such file' });
  expect((await fleet.queue.getJob(id))?.failedReason).toBe('outside: no such file');
  await fleet.startHaiku(DONE);
  await (await fleet.queue.getJob(id))?.retry('failed');
  await waitUntil(async () =>
    (await fleet.queue.getJobLogs(id)).logs.some((line) => line.includes('offered to outside')),
  );
  expect((await claim(fleet)).task_id).toBe(id);
});

test('a claim takes only what fits, the oldest first, and says why there is none', async () => {
  const fleet = await useFleet(redis);
  const why: string[] = [];
  const onNone = (text: string): void => void why.push(text);
  await fleet.tasks.add({ description: 'For the fleet' }, { taskId: 'own' });
  const [docs, git] = [await add(fleet, { kind: 'docs' }), await add(fleet, { kind: 'git' })];
  await fleet.tasks.addMany([{ description: 'Of a batch', for: 'any' }], { batch: 'b' });
  expect(await claim(fleet, 'a', { kind: 'git' })).toMatchObject({ task_id: git });
  expect(await claim(fleet, 'a', { batch: 'b' })).toMatchObject({ task_id: 'b-1' });
  expect(await claim(fleet, 'a')).toMatchObject({ task_id: docs });
  expect(await fleet.outside.claim({ as: 'a', onNone })).toBeNull();
  expect(await fleet.outside.claim({ as: 'b', task: docs, onNone })).toBeNull();
  await expect(fleet.outside.claim({ as: 'a', task: 'own' })).rejects.toThrow(/only the fleet's workers/);
  await expect(fleet.outside.claim({ as: 'a', task: 'nothing' })).rejects.toThrow(/no such job/);
  await expect(fleet.outside.claim({ as: 'a b' })).rejects.toThrow(/as: expected letters/);
  await expect(fleet.outside.claim({ as: 'a', leaseMs: 10 })).rejects.toThrow(/lease: expected/);
  expect(why).toEqual([expect.stringContaining('no task is offered'), expect.stringMatching(/a has it until/)]);
});

test('a halted fleet hands out nothing, and takes a report', async () => {
  const fleet = await useFleet(redis);
  await add(fleet);
  await add(fleet);
  const claimed = await claim(fleet);
  await fleet.halt.halt({ reason: 'person', step: '', by: 'me', detail: 'prices' });
  let why = '';
  expect(await fleet.outside.claim({ as: 'b', onNone: (text) => (why = text) })).toBeNull();
  expect(why).toBe('the fleet is halted: person: prices');
  expect(await report(fleet, claimed)).toMatchObject({ recorded: 'recorded' });
  await fleet.halt.resume();
  expect(await claim(fleet)).not.toBeNull();
});

test('a task for anyone is offered first, then also for the fleet; one that the fleet begins is offered no more', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet, { for: 'any' });
  expect((await fleet.bullJob(id)).delay).toBe(30_000);
  expect(await fleet.queue.getJobState(id)).toBe('delayed');
  await (await fleet.bullJob(id)).promote(); // as BullMQ does after that time
  await fleet.startHaiku(DONE);
  await waitUntil(async () => (await fleet.queue.getJobState(id)) === 'completed');
  expect(await redis.redis.exists(redis.keys.offered)).toBe(0);
});

test('the sweep forgets offers whose task is gone', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  await redis.redis.zadd(redis.keys.offered, 1, 'gone', Date.now(), 'being-added');
  await createForgetting({ db: redis.db })(Date.now());
  expect(await redis.redis.zrange(redis.keys.offered, '0', '-1')).toEqual(expect.arrayContaining([id, 'being-added']));
  expect(await redis.redis.zcard(redis.keys.offered)).toBe(2);
  expect(await fleet.outside.claim({ as: 'a' })).toMatchObject({ task_id: id });
});

test('a cancelled task ends at once, held or not, and its worker learns so', async () => {
  const fleet = await useFleet(redis);
  const [held, waiting] = [await add(fleet), await add(fleet, { for: 'any' })];
  const claimed = await claim(fleet);
  await fleet.halt.halt({ reason: 'person', step: '', by: 'me', detail: '' });
  await cancelJobs(fleet.inner.db, fleet.queue, [held, waiting]);
  for (const id of [held, waiting])
    expect((await fleet.bullJob(id)).failedReason).toBe('cancelled: cancelled by a person');
  await expect(report(fleet, claimed)).rejects.toThrow(/has failed \(cancelled/);
  expect(await redis.redis.exists(redis.keys.offered, redis.keys.outsideLeases)).toBe(0);
});

test('a released task keeps its place', async () => {
  const fleet = await useFleet(redis);
  const [first] = [await add(fleet), await add(fleet)];
  const { task_id: taskId, lease } = await claim(fleet);
  await fleet.outside.release({ taskId, lease });
  await expect(fleet.outside.release({ taskId, lease })).rejects.toThrow(/claim it anew/);
  expect((await claim(fleet)).task_id).toBe(first);
});

test('a mission gives all its tasks to outside workers, and is answered from their findings', async () => {
  const fleet = await useFleet(redis, { coordinator: 'http' });
  const mission = await fleet.missions.add({ goal: 'Try it [[tasks:2]]', for: 'outside' });
  for (let reported = 0; reported < 2;) {
    const claimed = await fleet.outside.claim({ as: 'agent-1' });
    if (claimed === null) continue;
    expect(claimed.task.mission_id).toBe(mission.id);
    await report(fleet, claimed);
    reported += 1;
  }
  expect((await mission.finding()).citations).toHaveLength(2);
});

test('eight outside workers find each of a hundred tasks once', async () => {
  const fleet = await useFleet(redis);
  const tasks = Array.from({ length: 100 }, (_, i) => ({ description: `Count file ${i}`, for: 'outside' as const }));
  await fleet.tasks.addMany(tasks, { batch: 'hundred' });
  const work = async (as: string): Promise<number> => {
    let done = 0;
    for (;;) {
      const claimed = await fleet.outside.claim({ as });
      if (claimed === null) return done;
      await report(fleet, claimed, { result: claimed.task.description });
      done += 1;
    }
  };
  const counts = await Promise.all(Array.from({ length: 8 }, (_, i) => work(`agent-${i}`)));
  expect(counts.reduce((sum, count) => sum + count)).toBe(100);
  const found = await fleet.findings.list({ limit: 200 });
  expect(new Set(found.map(({ result }) => result)).size).toBe(100);
  expect(await fleet.batch('hundred')).toMatchObject({ tasks: 100, completed: 100, failed: 0 });
});

test('a status is shown also where Redis takes no write and a lease was lost', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  await claim(fleet);
  await endLease(id);
  await redis.redis.config('SET', 'min-replicas-to-write', 1);
  redis.cleanup(() => redis.redis.config('SET', 'min-replicas-to-write', 0));
  expect((await fleet.status()).outside).toMatchObject({ held: 1, leases: [{ taskId: id, worker: 'agent-1' }] });
  await redis.redis.config('SET', 'min-replicas-to-write', 0);
  expect((await fleet.status()).outside).toMatchObject({ held: 0, offered: 1 });
});

test('a report that answers a lost answer is known again, however it was written', async () => {
  const secret = `key-${'5e3d'.repeat(8)}`;
  const fleet = await useFleet(redis, { env: { ANTHROPIC_API_KEY: secret } });
  await add(fleet, { schema: SCHEMA });
  const claimed = await claim(fleet);
  const result = `\`\`\`json\n{"lines": 3, "of": 12345678901234567890, "by": "${secret}"}\n\`\`\``;
  expect(await report(fleet, claimed, { result })).toMatchObject({ recorded: 'recorded' });
  expect(await report(fleet, claimed, { result })).toMatchObject({ recorded: 'already' });
  await expect(report(fleet, claimed, { result: 'three' })).rejects.toThrow(/stands/);
});

test('what is no JSON is refused, and the lease still holds the task', async () => {
  const fleet = await useFleet(redis);
  await add(fleet);
  const claimed = await claim(fleet);
  const loop: Record<string, unknown> = {};
  loop['self'] = { loop };
  const deep: unknown = JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`);
  for (const result of [loop, 5n, () => 5, Symbol('five'), deep]) {
    await expect(report(fleet, claimed, { result })).rejects.toThrow(/^result: /);
  }
  expect(await report(fleet, claimed)).toMatchObject({ recorded: 'recorded' });
});

test('a report cites findings of its own memory shard only', async () => {
  const fleet = await useFleet(redis);
  const found: Record<string, string> = {};
  for (const shard of ['a', 'b', undefined]) {
    await add(fleet, { shard });
    found[String(shard)] = (await report(fleet, await claim(fleet))).finding_id;
  }
  for (const [shard, own] of Object.entries(found)) {
    await add(fleet, { shard: shard === 'undefined' ? undefined : shard });
    const claimed = await claim(fleet);
    for (const other of Object.values(found).filter((id) => id !== own)) {
      await expect(report(fleet, claimed, { citations: [own, other] })).rejects.toThrow(`no finding ${other};`);
    }
    await report(fleet, claimed, { citations: [own] });
  }
});

test('a claim that could fit no task is an error', async () => {
  const { outside } = await useFleet(redis);
  await expect(outside.claim({ as: 'a', kind: 'doc' as 'docs' })).rejects.toThrow(/^kind: expected file, .*"doc"/);
  for (const name of ['task', 'batch', 'shard']) {
    await expect(outside.claim({ as: 'a', [name]: '' })).rejects.toThrow(`${name}: expected a name, got ""`);
  }
  await expect(outside.claim(undefined as never)).rejects.toThrow(/outside.claim: expected options/);
});
