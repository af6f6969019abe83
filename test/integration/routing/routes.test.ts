import { expect, test } from 'vitest';
import type { ModelRow, RouteRow } from '../../../src/config/model-rows/types.ts';
import { AccountRefusedError, RateLimitedError, type FleetError } from '../../../src/errors.ts';
import { withBilled } from '../../../src/models/failed-call.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { describeCost } from '../../../src/cli/output/print.ts';
import { describeBudget, readBudget } from '../../../src/ledger/budget.ts';
import { renderCosts } from '../../../src/ledger/report/render.ts';
import { renderStatus } from '../../../src/status/render/status.ts';
import { readResults } from '../../../src/coordinator/delegate/read-results.ts';
import type { NodeView } from '../../../src/coordinator/mission/nodes.ts';
import { readSources } from '../../../src/coordinator/paper/source-findings.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { createRules } from '../../../src/rules/create-rules.ts';
import { createFirer, toTaskId } from '../../../src/rules/fire.ts';
import { loadRules } from '../../../src/rules/store.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { saveContext } from '../../../src/contexts/memory-contexts.ts';
import { waitUntil } from '../../support/wait.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const HAIKU = 'claude-haiku-5-5';
const SONNET = 'claude-sonnet-5-5';
const SMALL = 'claude-haiku-4-5';
const DEEPSEEK = 'deepseek-flash';
const LOOK: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };

const turnOf = ({ messages }: ModelRequest): number => messages.filter(({ role }) => role === 'assistant').length;
const free = (error: FleetError): FleetError => withBilled(error, 'no');

function openFleet(
  answer: (request: ModelRequest, call: number) => Step | Promise<Step>,
  routes: RouteRow[],
  more: { workspaceVendors?: Record<string, string[]> } = {},
) {
  const model = createScriptedModel(answer);
  return useFleet(redis, { haiku: model, site: { 'tea.txt': 'tea\n' }, config: { routes, ...more } }).then((fleet) => ({
    fleet,
    model,
  }));
}

test('a model that is limited in the middle of a task gives way to the next of its route, and no paid call is repeated', async () => {
  const { fleet, model } = await openFleet(
    (request) => {
      if (turnOf(request) === 0) return LOOK;
      if (request.model === DEEPSEEK) throw free(new RateLimitedError(DEEPSEEK, 120_000, 'slow down'));
      return 'tea';
    },
    [{ use: ['gone', DEEPSEEK, HAIKU] }],
  );
  const job = await fleet.tasks.add({ description: 'Find tea' });
  const finding = await job.finding({ timeoutMs: 15_000 });

  expect(model.calls.map((call) => [call.model, turnOf(call)])).toEqual([
    [DEEPSEEK, 0],
    [DEEPSEEK, 1],
    [HAIKU, 1],
  ]);
  expect(finding).toMatchObject({
    model: HAIKU,
    result: 'tea',
    recovered: 1,
    routed: [{ from: DEEPSEEK, to: HAIKU, why: 'it is rate limited' }],
  });
  const costs = await fleet.costs({ by: 'route' });
  expect(costs.rows.map(({ name, calls }) => [name, calls])).toEqual([['route 1 (all tasks)', 2]]);
  expect(await fleet.logs(job.id)).toMatch(/ passed over: route 1 \(all tasks\): model "gone": no price is known/);
  expect(await fleet.logs(job.id)).toMatch(/deepseek-flash → claude-haiku-5-5: it is rate limited/);

  const next = await fleet.tasks.add({ description: 'Find more tea' });
  expect(await next.finding({ timeoutMs: 15_000 })).toMatchObject({
    model: HAIKU,
    routed: [{ from: DEEPSEEK, to: HAIKU, why: 'it cools down' }],
  });
  expect(model.calls.filter((call) => call.model === DEEPSEEK)).toHaveLength(2);
});

test('a refused account halts nothing where the route lists another model', async () => {
  const { fleet, model } = await openFleet(
    (request) => {
      if (request.model === DEEPSEEK) throw free(new AccountRefusedError('402 Insufficient Balance'));
      return 'tea';
    },
    [{ kind: ['docs'], use: [DEEPSEEK, HAIKU] }],
  );
  const finding = await (
    await fleet.tasks.add({ description: 'Write of tea', kind: 'docs' })
  ).finding({ timeoutMs: 15_000 });
  expect(finding.routed).toEqual([
    { from: DEEPSEEK, to: HAIKU, why: 'its provider refuses the account: 402 Insufficient Balance' },
  ]);
  await (await fleet.tasks.add({ description: 'Write more', kind: 'docs' })).finding({ timeoutMs: 15_000 });
  expect(model.calls.map((call) => call.model)).toEqual([DEEPSEEK, HAIKU, HAIKU]);
  expect(await fleet.halt.read()).toBeNull();
});

test('a model that no route replaces is waited for', async () => {
  const { fleet, model } = await openFleet(() => {
    throw free(new RateLimitedError(HAIKU, 120_000, 'slow down'));
  }, [{ kind: ['docs'], use: [HAIKU, DEEPSEEK] }]);
  const { id } = await fleet.tasks.add({ description: 'Find tea' });
  await waitUntil(async () => (await fleet.logs(id)).includes('waits 1'), { what: 'the task waits' });
  expect(model.calls.map((call) => call.model)).toEqual([HAIKU]);
});

test('a failed task is tried again by the models of its list, from the beginning, and the failed tries are rework', async () => {
  const { fleet, model } = await openFleet((request) => (request.model === SONNET ? '{"cups": 3}' : 'three cups'), []);
  const schema = { type: 'object', required: ['cups'], properties: { cups: { type: 'integer' } } };
  const job = await fleet.tasks.add({ description: 'Count', schema, escalate: [DEEPSEEK, SONNET], budget_usd: 1 });
  const finding = await job.finding({ timeoutMs: 15_000 });

  expect(model.calls.map((call) => [call.model, turnOf(call)])).toEqual([
    [HAIKU, 0],
    [HAIKU, 1], // the one repair
    [DEEPSEEK, 0],
    [DEEPSEEK, 1],
    [SONNET, 0],
  ]);
  expect(finding).toMatchObject({ model: SONNET, result: { cups: 3 } });
  expect(finding.routed?.map(({ from, to }) => [from, to])).toEqual([
    [HAIKU, DEEPSEEK],
    [DEEPSEEK, SONNET],
  ]);
  expect(finding.routed?.[0]?.why).toMatch(/^schema: the result does not fit/);
  expect(await readRework(fleet)).toEqual({ [HAIKU]: 400, [DEEPSEEK]: 400 });
  expect(await fleet.counters()).toMatchObject({ escalated: '2' });
  expect(await fleet.logs(job.id)).toMatch(/back to waiting: deepseek-flash tries it again, after schema: /);
});

/** Tokens of rework by model; each scripted reply has 200. */
async function readRework(fleet: { inner: { db: { redis: typeof redis.redis; keys: typeof redis.keys } } }) {
  const { redis: client, keys } = fleet.inner.db;
  const [day = ''] = await client.smembers(keys.ledgerDays);
  const rework: Record<string, number> = {};
  for (const [field, amount] of Object.entries(await client.hgetall(keys.ledger(day)))) {
    const id = [HAIKU, DEEPSEEK, SONNET].find((model) => field.includes(model));
    if (id !== undefined && field.endsWith('rework_output')) rework[id] = Number(amount);
  }
  return rework;
}

test('a prompt of 300k tokens goes to a model that holds it; with none it is refused when it is enqueued, naming rows that would do', async () => {
  const model = createScriptedModel(() => 'tea');
  const fleet = await useFleet(redis, { config: { FLEET_HAIKU_MODEL: SMALL } });
  const contexts = ['a', 'b', 'c', 'd'];
  for (const name of contexts) await saveContext(fleet.inner.db, name, 'tea '.repeat(49_000));
  await expect(fleet.tasks.add({ description: 'Read all', contexts })).rejects.toThrow(
    /^model: no model that models.json or FLEET_HAIKU_MODEL names holds a prompt of about 3\d\d,\d{3} tokens; claude-haiku-5-5.* would do/,
  );

  // An own row that holds it, which no route lists: it is the operator's, and the default model does the small tasks.
  const row: ModelRow = {
    id: 'big-reader',
    vendor: 'acme',
    api: 'openai',
    model: 'big',
    baseUrl: 'http://127.0.0.1:1/v1',
    keyEnv: null,
    contextTokens: 2_000_000,
    maxOutputTokens: 32_000,
    price: 'free-local',
    limits: {},
    since: '2026-11-01',
    abilities: { tools: true, schema: false, thinking: false, images: false },
  };
  const config = { FLEET_HAIKU_MODEL: SMALL, models: [row] };
  const wide = await useFleet(redis, { haiku: model, config });
  const handle = await wide.tasks.add({ description: 'Read all', contexts });
  const finding = await handle.finding({ timeoutMs: 15_000 });
  expect(finding.model).toBe('big-reader');

  // It has no price: everything says so where it would say one, and a model with a price is told apart.
  expect(finding).toMatchObject({ cost: 0, free_local: true });
  expect(describeCost(finding)).toBe('free-local');
  const { db, queues } = wide.inner;
  expect((await queues.tasks.getJobLogs(handle.id)).logs.join('\n')).toMatch(/final \(free-local, \d+ tokens/);
  expect(describeBudget(await readBudget(db, null))).toContain(', free-local spent, ');
  expect(renderStatus(await wide.status())).toMatch(/^ {2}Acme: {4}free-local$/m);
  expect(renderCosts(await wide.costs({ by: 'model' }))).toMatch(/^big-reader +1 +1 +\d+ +\d+ +free-local +\$/m);
  const paid = await (await wide.tasks.add({ description: 'Find tea' })).finding({ timeoutMs: 15_000 });
  expect(paid.free_local).toBeUndefined();
  expect(describeBudget(await readBudget(db, null))).toMatch(/, \$0\.\d+ and 1 call free-local spent, /);
  expect(renderCosts(await wide.costs({ by: 'day' }))).toContain(
    '1 call free-local: nothing a token, and no budget holds it',
  );
  expect(model.calls.map((call) => call.model)).toEqual(['big-reader', SMALL]);
});

test('what may not leave a workspace does not: no model, escalation or outside worker of another vendor gets the task', async () => {
  const { fleet, model } = await openFleet(() => 'tea', [{ use: [DEEPSEEK, HAIKU] }], {
    workspaceVendors: { site: ['anthropic'] },
  });
  const task = { description: 'Read it', workspace: 'site' };
  await expect(fleet.tasks.add({ ...task, model: DEEPSEEK })).rejects.toThrow(
    /^model: deepseek-flash is of deepseek, and workspace site allows only anthropic; /,
  );
  await expect(fleet.tasks.add({ ...task, escalate: [SONNET, DEEPSEEK] })).rejects.toThrow(
    /^escalate: deepseek-flash is of deepseek/,
  );
  await expect(fleet.tasks.add({ ...task, for: 'any' })).rejects.toThrow(/^for: any gives the task to outside workers/);

  const finding = await (await fleet.tasks.add(task)).finding({ timeoutMs: 15_000 });
  expect(finding).toMatchObject({ model: HAIKU, vendors: ['anthropic'] });
  expect(finding.routed).toBeUndefined();

  // Added by a program that knows nothing of it: the worker decides.
  const job = await fleet.queue.add('task', { ...task, model: DEEPSEEK }, { jobId: 'unchecked' });
  const failed = await fleet.until(job.id ?? '', 'failed');
  expect(failed.failedReason).toMatch(/^model: deepseek-flash is of deepseek/);
  expect(model.calls.map((call) => call.model)).toEqual([HAIKU]);
});

test('what is added for a task of a workspace may go no further: peers, rules, missions, retries and outside workers', async () => {
  const { fleet } = await openFleet(
    (request) => {
      if (JSON.stringify(request.messages[0]).includes('asks for help')) return '{"helps": true, "answer": "look up"}';
      return turnOf(request) === 0
        ? { tools: [{ name: 'ask_peers', input: { problem: 'no tea', tried: 'all' } }] }
        : 'tea';
    },
    [],
    { workspaceVendors: { site: ['anthropic'] } },
  );
  const { db, queues } = fleet.inner;

  // Of a program that stamps nothing: its worker's own configuration counts for the peers, too.
  await fleet.queue.add('task', { description: 'Ask them', workspace: 'site' }, { jobId: 'asker' });
  await fleet.until('asker', 'completed');
  const peers = (await queues.tasks.getCompleted()).filter(({ id = '' }) => id !== 'asker');
  expect(peers.length).toBeGreaterThan(0);
  for (const { data } of peers) expect(data).toMatchObject({ vendors: ['anthropic'] });

  // A rule's task may hold the text of its finding, and works elsewhere.
  const id = toFindingId('asker');
  const finding = await fleet.findings.get(id);
  expect(finding).toMatchObject({ vendors: ['anthropic'] });
  const parts = { ...fleet.inner, configured: toConfigured(fleet.inner.config) };
  await createRules(parts).add('tell', { match: { topic: 'tea' }, task: 'Tell {finding.summary}' });
  const [rule] = await loadRules(db);
  if (rule === undefined || finding === null) throw new Error('expected both');
  await createFirer({ ...parts, queue: queues.tasks }).fire(rule, [{ id, finding }]);
  const fired = await queues.tasks.getJob(toTaskId('tell', id));
  expect(fired?.data).toMatchObject({ description: 'Tell tea', vendors: ['anthropic'] });

  // Where the one who edits does not know of it, either: the job's stamp counts.
  await fleet.queue.add('task', { description: 'Think', model: 'none', vendors: ['anthropic'] }, { jobId: 'stamped' });
  await fleet.until('stamped', 'failed');
  const { refused } = await fleet.retry({ ids: ['stamped'] }, { model: DEEPSEEK });
  expect(refused).toEqual([{ id: 'stamped', message: expect.stringMatching(/model: deepseek-flash is of deepseek/) }]);

  const outside = { description: 'Read', workspace: 'site', for: 'outside' };
  await queues.tasks.add('task', outside, { jobId: 'kept', delay: 1_000_000 });
  await db.redis.zadd(db.keys.offered, 1, 'kept');
  let why = '';
  expect(await fleet.outside.claim({ as: 'agent-1', onNone: (said) => void (why = said) })).toBeNull();
  expect(why).toMatch(/1 other may not/);
  await expect(fleet.outside.claim({ as: 'agent-1', task: 'kept' })).rejects.toThrow(
    /^task kept: no outside worker may have it: workspace site allows only anthropic/,
  );
});

test('a task of another workspace is shown no finding that may not leave', async () => {
  const seen: string[] = [];
  const { fleet } = await openFleet(
    (request) => {
      if (turnOf(request) === 0) return LOOK;
      seen.push(JSON.stringify(request.messages.at(-1)));
      return 'secret tea';
    },
    [],
    { workspaceVendors: { site: ['anthropic'] } },
  );
  const inside = { description: 'Find tea', workspace: 'site' };
  const { finding_id: id } = await (await fleet.tasks.add(inside)).finding({ timeoutMs: 15_000 });
  await (await fleet.tasks.add(inside)).finding({ timeoutMs: 15_000 });
  await (await fleet.tasks.add({ description: 'Find tea' })).finding({ timeoutMs: 15_000 });
  expect(seen.map((text) => text.includes(id))).toEqual([false, true, false]);

  // Nor is a paper or a mission's answer, unless what is written from it goes no further, either.
  const { db } = fleet.inner;
  const view = { node: { task: 'look', kind: 'other', description: 'Look' }, state: 'done', findingId: id };
  const read = (reader: string[] | null) => readResults(db, [view as unknown as NodeView], reader);
  for (const reader of [null, ['anthropic', 'deepseek'], ['deepseek']]) {
    expect(await readSources(db, [id], { shard: null, reader })).toEqual([]);
    expect(await read(reader)).toEqual({
      results: [],
      withheld: [`look: ${id} may be sent to anthropic only, and the mission's answer to others, too`],
    });
  }
  expect(await readSources(db, [id], { shard: null, reader: ['anthropic'] })).toMatchObject([{ id }]);
  expect(await read(['anthropic'])).toMatchObject({ results: [{ findingId: id }], withheld: [] });
});

test('all that a mission of a workspace adds, and its answer, go no further than the workspace allows', async () => {
  const model = createMissionModel([{ id: 'look', description: 'Look' }]);
  const config = { shards: [], workspaceVendors: { site: ['anthropic'] } };
  const fleet = await useFleet(redis, { coordinator: model, haiku: model, site: { 'tea.txt': 'tea\n' }, config });
  const mission = await fleet.missions.add({ goal: 'Find out.', workspace: 'site' });
  expect(await mission.finding({ timeoutMs: 15_000 })).toMatchObject({ kind: 'mission', vendors: ['anthropic'] });
  const { missions, tasks } = fleet.inner.queues;
  const jobs = [await missions.getJob(mission.id), ...(await tasks.getCompleted())];
  expect(jobs).toHaveLength(3); // itself, its survey and its task
  for (const job of jobs) expect(job?.data).toMatchObject({ vendors: ['anthropic'] });
});
