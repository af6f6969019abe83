import { expect, test } from 'vitest';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SCHEMA = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] };

const FAILURES: [string, RegExp, { description: string; more?: object; faults?: Fault[] }][] = [
  ['a refusal', /^refusal: the model declined/, { description: 'Say no [[refuse]]' }],
  ['a reply without content', /^malformed: /, { description: 'Say', faults: [{ kind: 'empty-content' }] }],
  ['a login page with status 200', /^malformed: /, { description: 'Say', faults: [{ kind: 'html' }] }],
  ['a reply that was cut off', /^step-limit: .*cut off/, { description: 'Say', faults: [{ kind: 'cut-off' }] }],
  [
    'a result that breaks its schema twice',
    /^schema: .*lines/,
    { description: 'Count [[bad-schema]]', more: { schema: SCHEMA } },
  ],
  [
    'a task for the coordinator',
    /^handed-back: (complex|multi|ambiguous)/,
    { description: 'Decide the architecture of the next version [[turns:9]]' },
  ],
];

test.each(FAILURES)('%s fails the task at once, with the reason first, and is booked', async (_, reason, task) => {
  const fleet = await useSimulatedFleet(redis, { simulator: { faults: task.faults ?? [] } });
  const failed = await fleet.until(await fleet.add(task.description, task.more), 'failed');
  expect(failed.failedReason).toMatch(reason);
  expect(failed.attemptsMade).toBe(1);
  const books = await readBooks(redis);
  const served = fleet.simulator.served();
  expect(books).toMatchObject({ reserved: 0, openReservations: 0 });
  expect(books.ledgerCalls + books.uncertainCalls).toBeGreaterThanOrEqual(served.calls);
  if (books.uncertainCalls === 0) expect(books.settled).toBe(served.billNanoUsd);
  expect(await fleet.findings.list()).toEqual([]);
});

test('a failure that is no bug leaves its reason where a stack would stand', async () => {
  const fleet = await useSimulatedFleet(redis);
  const failed = await fleet.until(await fleet.add('Say no [[refuse]]'), 'failed');
  expect(failed.stacktrace).toEqual([failed.failedReason]); // Bull Board shows it first
});

test('a result is repaired once', async () => {
  const fleet = await useSimulatedFleet(redis);
  const id = await fleet.add('Count the lines [[bad-schema-once]]', { schema: SCHEMA });
  await fleet.until(id, 'completed');
  expect((await fleet.findings.list())[0]?.result).toMatchObject({ lines: expect.any(Number) as number });
});

const BARE: [string, string, unknown, RegExp][] = [
  ['a wrong field', 'task', { description: 'x', files: [1] }, /^invalid-job: data: files\.0: /],
  ['no description', 'task', {}, /^invalid-job: data: description: /],
  ['an empty name', '', { description: 'x' }, /^invalid-job: name: expected "task" .* got ""/],
  ['an unknown name', 'query', { description: 'x' }, /^invalid-job: name: expected "task" .* got "query"/],
  ['text for data', 'task', 'do something', /^invalid-job: data: /],
  ['null for data', 'task', null, /^invalid-job: data: /],
  ['a list for data', 'task', [1, 2], /^invalid-job: data: /],
  ['an unknown model', 'task', { description: 'x', model: 'gpt-9000' }, /^model: .*gpt-9000.*no price/],
  ['another vendor’s model', 'task', { description: 'x', model: 'gpt-4o' }, /^model: .*gpt-4o/],
  ['an unknown workspace', 'task', { description: 'x', workspace: 'nowhere' }, /^workspace: .*nowhere/],
  ['an unknown context', 'task', { description: 'x', contexts: ['nothing'] }, /^context: .*nothing/],
  ['a schema that is none', 'task', { description: 'x', schema: { type: 'no type' } }, /^invalid-job: schema: /],
];

test('a bad job of any other BullMQ client fails at once with the rule it broke, and harms nothing else', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 2 });
  const bare = await openBareQueue(redis, 'tasks');
  const options = { attempts: 5, backoff: { type: 'fixed', delay: 10 } };
  const jobs = [];
  for (const [, name, data] of BARE) jobs.push(await bare.add(name, data, options));
  const good = await bare.add('task', { description: 'Say hello [[turns:1]]', later_version: 'unknown keys are fine' });

  await fleet.until(good.id ?? '', 'completed');
  for (const [i, [what, , , rule]] of BARE.entries()) {
    const failed = await fleet.until(jobs[i]?.id ?? '', 'failed');
    expect(failed.failedReason, what).toMatch(rule);
    expect(failed.attemptsMade, what).toBe(1);
  }
  expect(fleet.simulator.requests()).toHaveLength(1);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 1, reserved: 0, uncertainCalls: 0 });
});

test('a failed task that is edited starts afresh, and leaves one finding', async () => {
  const fleet = await useSimulatedFleet(redis);
  fleet.simulator.setFaults([{ kind: 'refusal', when: { turn: 1 }, times: 1 }]);
  const id = await fleet.add('Say [[turns:5]]', { max_turns: 6 });
  const failed = await fleet.until(id, 'failed');
  await failed.updateData({ ...(failed.data as object), max_turns: 10 }); // Bull Board's edit
  await failed.retry();
  await fleet.until(id, 'completed');
  const turns = fleet.simulator.requests().map((record) => record.turn);
  expect(turns).toEqual([0, 1, 0, 1, 2, 3, 4]);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(1);
  const books = await readBooks(redis);
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
  const [finding] = await fleet.findings.list();
  expect(finding).toMatchObject({ recovered: 0, cost: Math.round(books.settled / 1000) / 1e6 }); // the cost of the failed run is part of it
});

test('a completed task that is run again by hand pays nothing and writes nothing', async () => {
  const fleet = await useSimulatedFleet(redis);
  const id = await fleet.add('Say hello');
  const completed = await fleet.until(id, 'completed');
  const { findingId } = completed.returnvalue as { findingId: string };
  const before = await redis.redis.get(redis.keys.finding(findingId));
  await completed.retry('completed');
  await waitUntil(async () => (await fleet.bullJob(id)).attemptsMade === 2, { what: 'the second run' });
  await fleet.until(id, 'completed');
  expect(fleet.simulator.requests()).toHaveLength(1);
  expect(await redis.redis.get(redis.keys.finding(findingId))).toBe(before);
  expect(await redis.redis.xlen(redis.keys.events)).toBe(1);
});

test('a cancelled job ends wherever it is: running, waiting or delayed', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 1 });
  const { db } = fleet.inner;
  const running = await fleet.add('Say [[latency:600000]]');
  await waitUntil(() => fleet.simulator.requests().length === 1, { what: 'the call' });
  const waiting = await fleet.add('Wait');
  const delayed = (await fleet.queue.add('task', { description: 'Later' }, { delay: 3600_000 })).id ?? '';
  const other = await fleet.add('Say hello');

  await cancelJobs(db, fleet.queue, [running, waiting, delayed]);

  for (const id of [running, waiting, delayed]) {
    expect((await fleet.until(id, 'failed')).failedReason).toMatch(/^cancelled: /);
  }
  await fleet.until(other, 'completed');
  expect(fleet.simulator.requests().map((record) => record.user)).toEqual([running, other]);
  const books = await readBooks(redis);
  expect(books).toMatchObject({ uncertainCalls: 1, ledgerCalls: 1, reserved: 0 });
  await waitUntil(() => fleet.simulator.requests()[0]?.clientGone, { what: 'the hang-up' });
  await expect(cancelJobs(db, fleet.queue, [running])).rejects.toThrow(/already failed/);

  await (await fleet.bullJob(waiting)).retry(); // by hand, later
  await fleet.until(waiting, 'completed');
});

test('one bad job beside many good ones costs them nothing', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 8, site: { 'a.txt': 'tea\n' } });
  const good = await Promise.all(
    Array.from({ length: 10 }, () => fleet.add('Describe a.txt [[turns:3]]', { workspace: 'site', files: ['a.txt'] })),
  );
  const bad = await fleet.add('Say no [[refuse]]');
  await fleet.until(bad, 'failed');
  for (const id of good) await fleet.until(id, 'completed');
  expect((await readBooks(redis)).settled).toBe(fleet.simulator.served().billNanoUsd);
});
