import { expect, test } from 'vitest';
import { ProviderUnavailableError, UsageError } from '../../../src/errors.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { changeBudget } from '../../../src/coordinator/control/budget.ts';
import { readBudget, readLimit } from '../../../src/ledger/budget.ts';
import { eachFailedJob, groupFailedJobs } from '../../../src/tasks/repair/failed.ts';
import type { RetriedJob } from '../../../src/tasks/repair/note-retries.ts';
import { retryJob, type RetryOptions } from '../../../src/tasks/repair/retry.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
const ONE_TOOL = { tools: [{ name: 'findings', input: { action: 'search', query: 'anything' } }] };

function retry(fleet: OpenFleet, id: string, options: Partial<RetryOptions> = {}): Promise<RetriedJob> {
  const { db, queues } = fleet.inner;
  return retryJob({ db, queue: queues.tasks }, id, {
    by: 'ada@box',
    known: { workspaces: new Set(['site']), contexts: new Set(), catalog: createCatalog([]) },
    ...options,
  });
}

/** A task that failed because its answer did not fit its schema. Later calls return a valid answer. */
async function failOnce(id: string) {
  const model = createScriptedModel((_, call) => (call <= 2 ? 'no number' : '{"n": 1}'));
  const fleet = await useFleet(redis, { haiku: model });
  await fleet.tasks.add({ description: 'How many?', schema: SCHEMA }, { taskId: id });
  await fleet.until(id, 'failed');
  return { fleet, model };
}

test('runs an edited task again and keeps both texts in the log', async () => {
  const { fleet, model } = await failOnce('task-a');

  await retry(fleet, 'task-a', { edit: { append: 'Answer with JSON.' } });
  await fleet.until('task-a', 'completed');

  expect(JSON.stringify(model.calls.at(-1)?.messages)).toContain('How many?\\n\\nAnswer with JSON.');
  const { logs } = await fleet.queue.getJobLogs('task-a');
  const edit = logs.find((line) => line.includes('edited and retried by ada@box'));
  expect(edit).toContain('before: {"description":"How many?"');
  expect(edit).toContain('after:  {"description":"How many?\\n\\nAnswer with JSON."');
  expect(await fleet.findings.count()).toBe(1);
});

test('gives a task that ran out of turns more of them', async () => {
  const model = createScriptedModel((_, call) => (call <= 2 ? ONE_TOOL : 'done')); // also in the last turn
  const fleet = await useFleet(redis, { haiku: model });
  const { id } = await fleet.tasks.add({ description: 'Search twice', max_turns: 1 });
  await fleet.until(id, 'failed');
  const { tasks } = fleet.inner.queues;
  expect((await tasks.getJob(id))?.failedReason).toMatch(/^step-limit: .*fleet retry ID --max-turns N/);
  await expect(retry(fleet, id, { edit: { maxTurns: 201 } })).rejects.toThrow(/max_turns/);
  await retry(fleet, id, { edit: { maxTurns: 5 } });
  await fleet.until(id, 'completed');
});

test('keeps data that is null where another field goes back to the default', async () => {
  const model = createScriptedModel((_, call) => (call === 1 ? ONE_TOOL : 'done'));
  const fleet = await useFleet(redis, { haiku: model });
  const { id } = await fleet.tasks.add({ description: 'Search', data: null, max_turns: 1 });
  await fleet.until(id, 'failed');
  await retry(fleet, id, { edit: { maxTurns: null } });
  await fleet.until(id, 'completed');
  const asked = (await fleet.inner.queues.tasks.getJob(id))?.data as object;
  expect(asked).toMatchObject({ data: null });
  expect(asked).not.toHaveProperty('max_turns');
});

test('refuses an edit that breaks a rule, and leaves the job as it was', async () => {
  const { fleet } = await failOnce('task-b');

  await expect(retry(fleet, 'task-b', { edit: { data: { description: 'x', nope: 1 } } })).rejects.toThrow(/nope/);
  for (const edit of [{ append: '' }, { append: ' \n' }, { description: ' ' }])
    await expect(retry(fleet, 'task-b', { edit })).rejects.toThrow(/(append|description): expected words, got none/);
  for (const budgetUsd of [0, 1e-12])
    await expect(retry(fleet, 'task-b', { edit: { budgetUsd } })).rejects.toThrow(/budget_usd: expected/);
  await expect(retry(fleet, 'task-b', { edit: { model: 'gpt-9000' } })).rejects.toThrow(/no price is known/);
  await expect(retry(fleet, 'task-b', { edit: { data: { description: 'x', workspace: 'nowhere' } } })).rejects.toThrow(
    /workspace: "nowhere"/,
  );

  const job = await fleet.queue.getJob('task-b');
  expect(await job?.getState()).toBe('failed');
  expect(job?.data).toMatchObject({ description: 'How many?', schema: SCHEMA });
});

test('puts another task in place and keeps what the queue stamped', async () => {
  const { fleet } = await failOnce('task-c');
  const before = (await fleet.queue.getJob('task-c'))?.data as { session: string };

  await retry(fleet, 'task-c', { edit: { data: { description: 'Something else', kind: 'docs' } } });
  await fleet.until('task-c', 'completed');

  const job = await fleet.queue.getJob('task-c');
  expect(job?.data).toMatchObject({ description: 'Something else', kind: 'docs', session: before.session });
  expect(job?.data).not.toHaveProperty('schema');
});

test('takes a budget in place of the limit in force, from the first one on with what the task has cost', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'no number') });
  const { db, queues } = fleet.inner;
  const id = 'task-i';
  await fleet.tasks.add({ description: 'How many?', schema: SCHEMA }, { taskId: id });
  await fleet.until(id, 'failed');
  const readCost = async () => JSON.parse((await redis.redis.hget(redis.keys.turns(id), 'totals')) ?? '{}') as object;
  const first = await readCost();
  expect(first).toMatchObject({ nanoUsd: expect.any(Number) as number });

  const { changes } = await retry(fleet, id, { edit: { budgetUsd: 0.5 } });
  expect(changes).toEqual({ before: { budget_usd: null }, after: { budget_usd: 0.5 } });
  await fleet.until(id, 'failed');
  const { nanoUsd } = (await readCost()) as { nanoUsd: number };
  expect(nanoUsd).toBeGreaterThan(Reflect.get(first, 'nanoUsd') as number);
  expect(await readBudget(db, { task: id })).toEqual({
    limit: 500_000_000,
    settled: nanoUsd,
    reserved: 0,
    uncertain: 0,
  });

  await changeBudget({ db, queues }, 2, { task: id });
  const again = await retry(fleet, id, { edit: { budgetUsd: 0.5 } });
  expect(again.changes).toEqual({ before: { budget_usd: 2 }, after: { budget_usd: 0.5 } });
  expect(await readLimit(db, { task: id })).toBe(500_000_000);
  await fleet.until(id, 'failed');

  await changeBudget({ db, queues }, 3, { task: id });
  await retry(fleet, id, { edit: { append: 'Answer with JSON.' } });
  expect(await readLimit(db, { task: id })).toBe(3_000_000_000);
  await fleet.until(id, 'failed');

  // Its turns expire after a week: then its record tells what it has cost, and an earlier budget what was spent of it.
  const whole = (await readBudget(db, { task: id })).settled;
  await redis.redis.del(redis.keys.turns(id));
  await retry(fleet, id, { edit: { data: { description: 'How many?', schema: SCHEMA } } });
  await fleet.until(id, 'failed');
  await redis.redis.del(redis.keys.turns(id));
  await fleet.halt.halt({ reason: 'person', step: '', by: 'ada', detail: 'look' });
  await retry(fleet, id, { edit: { budgetUsd: 1 } });
  const { limit, settled } = await readBudget(db, { task: id });
  expect([limit, settled > whole]).toEqual([1_000_000_000, true]);
});

test('changes nothing in a dry run', async () => {
  const { fleet, model } = await failOnce('task-d');

  await retry(fleet, 'task-d', { edit: { append: 'more' }, dryRun: true });

  expect(await fleet.queue.getJobState('task-d')).toBe('failed');
  expect((await fleet.queue.getJob('task-d'))?.data).toMatchObject({ description: 'How many?' });
  expect(model.calls).toHaveLength(2);
});

test('retries failed jobs only', async () => {
  const fleet = await useFleet(redis);
  await fleet.tasks.add({ description: 'waits' }, { taskId: 'task-e' });

  await expect(retry(fleet, 'task-e')).rejects.toThrow(UsageError);
  await expect(retry(fleet, 'task-e')).rejects.toThrow('job task-e: is waiting; only failed jobs can be retried');
  await expect(retry(fleet, 'nosuch')).rejects.toThrow('job nosuch: no such job in queue tasks');
});

test('points a parked job to its budget', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  await fleet.tasks.add({ description: 'dear', budget_usd: 0.000_001 }, { taskId: 'task-f' });
  await fleet.until('task-f', 'delayed'); // the last step of parking

  await expect(retry(fleet, 'task-f')).rejects.toThrow(/parked for its budget.*fleet budget USD/);
});

test('goes on from the stored turns after a provider failure, and starts afresh when told to', async () => {
  for (const fresh of [false, true]) {
    const id = fresh ? 'task-h' : 'task-g';
    const model = createScriptedModel((_, call) => {
      if (call === 1) return ONE_TOOL;
      if (call === 2) throw new ProviderUnavailableError('claude-haiku-5-5', false, 'away');
      return call === 3 && fresh ? ONE_TOOL : 'done';
    });
    const fleet = await useFleet(redis);
    const haiku = await fleet.startHaiku(model);
    await fleet.tasks.add({ description: 'two turns' }, { taskId: id });
    await fleet.until(id, 'delayed');
    await redis.redis.hset(redis.keys.turns(id), 'unavailable_since', 1); // the provider is down for longer than a job waits
    await redis.redis.del(redis.keys.cooldown('claude-haiku-5-5'), redis.keys.outage('claude-haiku-5-5'));
    model.calls.length = 1;
    await (await fleet.bullJob(id)).promote();
    await fleet.until(id, 'failed');
    const callsBefore = model.calls.length;

    await retry(fleet, id, { fresh });
    await fleet.until(id, 'completed');

    expect(model.calls.length - callsBefore).toBe(fresh ? 2 : 1);
    await haiku.close();
  }
});

test('groups failures by reason, the newest examples first, with the line that repairs them', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'no number') });
  const { tasks } = fleet.inner.queues;
  for (let i = 1; i <= 4; i += 1) {
    await fleet.tasks.add({ description: `count ${i}`, schema: SCHEMA }, { taskId: `count-${i}` });
    await fleet.until(`count-${i}`, 'failed');
  }
  await tasks.add('task', { nothing: 'right' }, { jobId: 'foreign' });
  await fleet.until('foreign', 'failed');

  const groups = await groupFailedJobs(eachFailedJob(redis.db, tasks));

  expect(groups.map(({ reason, count }) => [reason, count])).toEqual([
    ['schema', 4],
    ['invalid-job', 1],
  ]);
  expect(groups[0]?.examples.map(({ id }) => id)).toEqual(['count-4', 'count-3', 'count-2']);
  expect(groups[0]?.repair).toMatch(/^fleet retry --reason schema/);
  expect(groups[1]?.repair).toBe('fleet retry foreign --data FILE');
});
