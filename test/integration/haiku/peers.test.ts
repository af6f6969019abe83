import { expect, test } from 'vitest';
import type { ModelRequest } from '../../../src/models/model.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { initRepository } from '../../support/person-git.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const QUESTION = { problem: 'Why does it fail?', tried: 'Reading it.' };

/** What the model of each kind of task says: of the asker, and of its peers by their number. */
function toModel(says: {
  asker(call: number, request: ModelRequest): Step | Promise<Step>;
  peer(n: number): Step | Promise<Step>;
}) {
  let asked = 0;
  return createScriptedModel((request) => {
    const n = Number(/you are peer (\d) of 3/.exec(JSON.stringify(request.messages[0]))?.[1] ?? 0);
    if (n > 0) return says.peer(n);
    asked += 1;
    return says.asker(asked, request);
  });
}

const ask = (more: object = {}): Step => ({ tools: [{ name: 'ask_peers', input: { ...QUESTION, ...more } }] });
const help = (answer: string): Step => JSON.stringify({ helps: answer !== '', answer });
const lastText = ({ messages }: ModelRequest): string => JSON.stringify(messages.at(-1));

/** Waits until the task has asked, and its three peers are in their calls: those that have not begun end with its question. @returns the name of the question */
async function openQuestion(fleet: TestFleet, id: string): Promise<string> {
  await waitUntil(async () => (await (await fleet.bullJob(id)).getState()) === 'delayed', {
    what: 'the wait for peers',
  });
  await waitUntil(async () => (await redis.redis.hlen(redis.keys.reservations)) === 3, {
    what: 'three peers in their calls',
  });
  return String(await redis.redis.hget(redis.keys.turns(id), 'asked')).replace(',', '');
}

/** What peers wait for in their call. It opens with the end of the test at the latest. */
function createGate() {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  redis.cleanup(open);
  return { open, passed };
}

const ENV = { FLEET_HAIKU_CONCURRENCY: '4' };

test('gets help with one slot in the whole fleet: the first useful answer wakes it, the others are dropped', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 1 });
  const job = await fleet.tasks.add({ description: 'Ask your peers: how is tea made?' });
  const finding = await job.finding({ timeoutMs: 30_000 });

  const [cited = ''] = finding.citations;
  expect(finding.result).toContain('About “how is tea made?”');
  expect(finding.result).toContain(`[${cited}]`);
  const answer = await fleet.findings.get(cited);
  expect(answer).toMatchObject({ result: { helps: true }, kind: 'assist', batch: null });
  const counts = await fleet.queue.getJobCounts('completed', 'wait', 'delayed', 'failed', 'active');
  expect(counts).toEqual({ completed: 2, wait: 0, delayed: 0, failed: 0, active: 0 });
  expect((await fleet.bullJob(job.id)).attemptsMade).toBe(1);
  expect(await fleet.counters()).toMatchObject({ waits_peers: '1' });
  expect(await redis.redis.exists(redis.keys.helped, redis.keys.turns(job.id))).toBe(0);
  expect(await redis.redis.zcard(redis.keys.waitsFor('peers'))).toBe(0);
});

test('goes on when no peer finds anything, and is told so', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 2 });
  const job = await fleet.tasks.add({ description: 'Ask your peers: what nobody can know' });
  const finding = await job.finding({ timeoutMs: 30_000 });
  expect(finding.result).toContain('your peers found nothing that helps');
  expect(finding.citations).toEqual([]);
  expect(await fleet.queue.getJobCountByTypes('completed')).toBe(4);
});

test('goes on without an answer when the time is over', async () => {
  const fleet = await useFleet(redis, { env: ENV });
  const gate = createGate();
  await fleet.startHaiku(
    toModel({
      asker: (call, request) => (call === 1 ? ask({ urgency: 'urgent' }) : lastText(request)),
      peer: () => gate.passed.then(() => help('too late')),
    }),
  );
  const job = await fleet.tasks.add({ description: 'Do it.' });
  const call = await openQuestion(fleet, job.id);
  const turns = redis.keys.turns(job.id);
  const [askedAt = 0, dueAt = 0] = String(await redis.redis.hget(turns, `p:${call}`))
    .split('|')
    .map(Number);
  expect(dueAt - askedAt).toBe(60_000);

  await redis.redis.hset(turns, `p:${call}`, '1|2|3'); // as if the minute were over
  await (await fleet.bullJob(job.id)).promote();
  const finding = await job.finding({ timeoutMs: 30_000 });
  expect(finding.result).toContain('no peer has answered in time');
  gate.open();
  await waitUntil(async () => (await fleet.queue.getCompletedCount()) === 4, { what: 'the end of the late peers' });
});

test('wakes a task whose peers ended while the process that should wake it died', async () => {
  const fleet = await useFleet(redis, { env: ENV });
  const gate = createGate();
  await fleet.startHaiku(
    toModel({
      asker: (call, request) => (call === 1 ? ask() : lastText(request)),
      peer: () => gate.passed.then(() => help('too late')),
    }),
  );
  const job = await fleet.tasks.add({ description: 'Do it.' });
  const call = await openQuestion(fleet, job.id);
  const ends = Object.fromEntries([1, 2, 3].map((n) => [`p:${call}:${n}`, '-5|']));
  await redis.redis.hset(redis.keys.turns(job.id), ends);
  await redis.redis.zadd(redis.keys.helped, 5, `${call}|${job.id}`);
  expect((await job.finding({ timeoutMs: 30_000 })).result).toContain('found nothing that helps');
});

test('runs no other tool of the turn before the answer, and each once', async () => {
  const model = toModel({
    asker(call, request) {
      if (call > 1) return lastText(request);
      const write = { name: 'write', input: { file_path: 'a.txt', content: 'one' } };
      return { tools: [write, { name: 'ask_peers', input: QUESTION }] };
    },
    peer: (n) => (n === 3 ? help('Read line 7.') : help('')),
  });
  const fleet = await useFleet(redis, { haiku: model, site: { 'b.txt': 'b' } });
  const job = await fleet.tasks.add({ description: 'Write it.', workspace: 'site' });
  const finding = await job.finding({ timeoutMs: 30_000 });
  expect(finding.result).toContain('Read line 7.');
  expect(finding.changes).toMatchObject([{ path: 'a.txt', added: 1, removed: 0 }]);
  expect(finding.tool_errors).toBeUndefined();
  expect(finding.citations).toHaveLength(1);
});

test('offers a peer nothing that writes, runs or asks', async () => {
  const model = toModel({
    asker: (call) => (call === 1 ? ask({ files: ['b.txt'] }) : 'done'),
    peer: () => help('yes'),
  });
  const fleet = await useFleet(redis, {
    haiku: model,
    site: { 'b.txt': 'b' },
    env: { FLEET_RUN_ALLOW: 'ls', FLEET_HTTP_ALLOW: 'a.example' },
  });
  const job = await fleet.tasks.add({ description: 'Write it.', workspace: 'site', topics: ['tea'] });
  await job.finding({ timeoutMs: 30_000 });
  const peer = model.calls.find((request) => JSON.stringify(request.messages[0]).includes('you are peer'));
  expect(peer?.tools.map((tool) => 'name' in tool && tool.name)).toEqual([
    'ask_archive',
    'findings',
    'glob',
    'grep',
    'list',
    'read',
  ]);
  expect(JSON.stringify(peer?.messages[0])).toContain('Write it.');
  expect(model.calls[0]?.tools.some((tool) => 'name' in tool && tool.name === 'ask_peers')).toBe(true);
});

test('refuses to show peers what the asker may not open, and a fourth question', async () => {
  const model = toModel({
    asker: (call, request) =>
      call === 1 ? ask({ files: ['.env'] }) : call <= 5 ? ask({ problem: `Question ${call}` }) : lastText(request),
    peer: () => help('yes'),
  });
  const fleet = await useFleet(redis, { haiku: model, site: { '.env': 'KEY=1' } });
  const job = await fleet.tasks.add({ description: 'Write it.', workspace: 'site' });
  const finding = await job.finding({ timeoutMs: 60_000 });
  expect(finding.tool_errors?.failed).toBe(2);
  expect(finding.result).toContain('3 times at most');
});

test('pays its peers from its own budget, and is one task of its batch and its session', async () => {
  const model = toModel({
    asker: (call, request) => (call === 1 ? ask() : lastText(request)),
    peer: () => help('yes'),
  });
  const fleet = await useFleet(redis, { haiku: model, env: { FLEET_HAIKU_CONCURRENCY: '1' } });
  await fleet.tasks.addMany([{ description: 'Do it.', budget_usd: 0.05 }], { batch: 'paid' });
  await waitUntil(async () => (await fleet.queue.getJobCountByTypes('completed')) === 2, { what: 'the end' });
  const books = await readBooks(redis);
  expect(books).toMatchObject({ settled: 3 * 110_000, reserved: 0, openReservations: 0 });
  const { keys } = redis;
  expect(await redis.redis.hget(keys.spend('batch:paid'), 'settled')).toBe(String(3 * 110_000));
  expect(await redis.redis.exists(keys.spend('task:paid-1'))).toBe(0);
  expect(await redis.redis.zcard(keys.indexByBatch('paid'))).toBe(1);
  expect(
    await redis.redis.hget(
      keys.sessionTotals((await fleet.findings.list({ limit: 1 }))[0]?.session ?? ''),
      'haiku:tasks',
    ),
  ).toBe('1');
});

test('cancels the help with the task that asked for it', async () => {
  const fleet = await useFleet(redis, { env: ENV });
  const gate = createGate();
  const look: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };
  await fleet.startHaiku(toModel({ asker: () => ask(), peer: () => gate.passed.then(() => look) }));
  const job = await fleet.tasks.add({ description: 'Do it.' });
  await openQuestion(fleet, job.id);
  await fleet.cancel({ ids: [job.id] });
  await expect(job.finding({ timeoutMs: 30_000 })).rejects.toThrow(/cancelled/);
  gate.open();
  await waitUntil(async () => (await fleet.queue.getFailedCount()) === 4, { what: 'the end of its peers' });
  const reasons = (await fleet.queue.getFailed()).map(({ failedReason }) => failedReason.split(':')[0]);
  expect(reasons).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  expect(await readBooks(redis)).toMatchObject({ reserved: 0, openReservations: 0 });
});

test('asks anew when a person retries a task that was cancelled while it waited for help', async () => {
  const fleet = await useFleet(redis, { env: ENV });
  const gate = createGate();
  let isAgain = false;
  await fleet.startHaiku(
    toModel({
      asker: (_call, request) => (lastText(request).includes('a peer') ? lastText(request) : ask()),
      peer: () => (isAgain ? help('Read line 7.') : gate.passed.then(() => help('too late'))),
    }),
  );
  const job = await fleet.tasks.add({ description: 'Do it.' });
  await openQuestion(fleet, job.id);
  await fleet.cancel({ ids: [job.id] });
  await expect(job.finding({ timeoutMs: 30_000 })).rejects.toThrow(/cancelled/);
  gate.open();
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'the end of its peers' });
  isAgain = true;
  await fleet.retry({ ids: [job.id] });
  const finding = await job.finding({ timeoutMs: 30_000 });
  expect(finding.result).toContain('Read line 7.');
  expect(finding.citations).not.toEqual([]);
});

test('ends help that the budget of its task cannot pay, and parks nothing', async () => {
  const fleet = await useFleet(redis, { env: { FLEET_HAIKU_CONCURRENCY: '1' } });
  const { keys } = redis;
  await fleet.startHaiku(
    toModel({
      async asker(call, request) {
        if (call > 1) return lastText(request);
        await redis.redis.hset(keys.spend('task:poor'), 'limit', '200000'); // enough for what is spent, for no further call
        return ask();
      },
      peer: () => help('yes'),
    }),
  );
  await fleet.tasks.add({ description: 'Do it.', budget_usd: 5 }, { taskId: 'poor' });
  await waitUntil(async () => (await fleet.queue.getFailedCount()) === 3, { what: 'the end of its peers' });
  await waitUntil(async () => (await redis.redis.hexists(keys.parked, 'poor')) === 1, {
    what: 'the parking of the task alone',
  });
  expect(await redis.redis.hlen(keys.parked)).toBe(1);
  expect(await redis.redis.hget(keys.spend('task:poor'), 'settled')).toBe('110000');
});

test('keeps the tree of a task that waits for its peers', async () => {
  const model = toModel({
    asker(call, request) {
      if (call === 1) return { tools: [{ name: 'write', input: { file_path: 'a.txt', content: 'one\n' } }] };
      if (call === 2) return ask();
      const edit = { name: 'edit', input: { file_path: 'a.txt', old_string: 'one', new_string: 'two' } };
      return call === 3 ? { tools: [edit] } : lastText(request);
    },
    peer: () => help('Write two.'),
  });
  const fleet = await useFleet(redis, { site: { 'b.txt': 'b\n' } });
  initRepository(fleet.site);
  await fleet.startHaiku(model);
  const job = await fleet.tasks.add({ description: 'Write it.', workspace: 'site' });
  const finding = await job.finding({ timeoutMs: 30_000 });
  expect(finding.patch).toMatchObject({ files: 1, state: 'pending' });
  expect(finding.changes).toMatchObject([{ path: 'a.txt', added: 1 }]);
  expect(finding.tool_errors).toBeUndefined();
});
