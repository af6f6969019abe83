import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { forgetOldTasks } from '../../../src/bridge/forget.ts';
import { renewOldClaims } from '../../../src/bridge/renew.ts';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const DAY_S = 24 * 3600;

async function open() {
  const fleet = await useSimulatedFleet(redis, { slots: 2 });
  const bridge = await fleet.startBridge();
  const old = createOldPoster(redis.db);
  const jobs = async () => fleet.queue.getJobs(['wait', 'delayed', 'active', 'completed', 'failed']);
  const jobOf = async (id: string): Promise<Job> => {
    const find = async () => (await jobs()).find(({ data }) => (data as Stamped).bridge.task === id);
    return (await waitUntil(find)) as Job;
  };
  const until = async (id: string, state: string) =>
    waitUntil(async () => {
      const job = await jobOf(id);
      return (await job.getState()) === state ? fleet.queue.getJob(job.id ?? '') : undefined;
    });
  const result = async (id: string) => (await waitUntil(() => old.read(id, 'result'))) as string;
  const logsOf = async (id: string) => (await fleet.queue.getJobLogs((await jobOf(id)).id ?? '')).logs.join('\n');
  return { fleet, bridge, old, jobOf, until, result, logsOf };
}

interface Stamped {
  bridge: { task: string };
}

const say = (description: string) => ({ description: `${description} [[turns:1]]` });

test('answers a task: finding, result, announcements in this order, and a claim that is left to expire', async () => {
  const { fleet, old, result } = await open();
  const heard: [string, string][] = [];
  const listener = await redis.connect();
  listener.on('message', (channel, text) => heard.push([channel, text]));
  await listener.subscribe(redis.keys.channelFindings, redis.keys.channelCompletions);
  await old.post('1:ü', say('Count'));
  const findingId = await result('1:ü');
  expect(await fleet.findings.get(findingId)).toMatchObject({ finding_id: findingId, status: 'completed' });
  expect(await redis.redis.ttl(redis.keys.oldTask('1:ü', 'claimed'))).toBeGreaterThan(290);
  expect(await redis.redis.ttl(redis.keys.oldTask('1:ü', 'claimed'))).toBeLessThanOrEqual(300);
  await waitUntil(() => heard.length === 2);
  expect(heard).toEqual([
    [redis.keys.channelFindings, findingId],
    [redis.keys.channelCompletions, '1:ü'],
  ]);

  await listener.subscribe(redis.keys.channelTasks); // another program listens for tasks: it may hear late of this one
  await old.post('2', say('Sort'));
  await result('2');
  expect(await redis.redis.ttl(redis.keys.oldTask('2', 'claimed'))).toBeGreaterThan(DAY_S - 10);
  expect(await redis.redis.hlen(redis.keys.bridge('claims'))).toBe(0);
});

test("sleeps without a slot while an old worker has the task, and ends as done elsewhere at no cost with that one's result", async () => {
  const { old, until, logsOf } = await open();
  for (const id of ['a', 'b', 'c']) await redis.redis.set(redis.keys.oldTask(id, 'claimed'), 'old_1', 'EX', 300);
  for (const id of ['a', 'b', 'c']) await old.post(id, say(id));
  for (const id of ['a', 'b', 'c']) await until(id, 'delayed');
  await redis.redis.set(redis.keys.oldTask('a', 'result'), 'finding_a');
  await redis.redis.publish(redis.keys.channelCompletions, 'a');
  await redis.redis.set(redis.keys.oldTask('b', 'result'), 'finding_b'); // it announces nothing
  expect((await until('a', 'completed'))?.returnvalue).toEqual({ findingId: 'finding_a', costNanoUsd: 0 });
  expect((await until('b', 'completed'))?.returnvalue).toEqual({ findingId: 'finding_b', costNanoUsd: 0 });
  expect(await redis.redis.get(redis.keys.cost('haiku'))).toBeNull();
  expect(await logsOf('a')).toContain('done elsewhere by old_1: finding finding_a');

  await redis.redis.del(redis.keys.oldTask('c', 'claimed')); // that worker died
  const done = await until('c', 'completed');
  expect(await old.read('c', 'result')).toBe((done?.returnvalue as { findingId: string } | undefined)?.findingId);
  expect((await logsOf('c')).match(/the claim of old_1 ended without a result: run here/g)).toHaveLength(1);
});

test('tells of a failure, and a retry by hand completes the task', async () => {
  const { fleet, old, until, result } = await open();
  await old.post('bad', 'no JSON');
  await old.post('good', say('Count'));
  await result('good');
  const job = await until('bad', 'failed');
  expect(job?.failedReason).toBe('invalid-job: task:bad: expected JSON {description, files}, got "no JSON"');
  const error = JSON.parse((await old.read('bad', 'error')) ?? '') as object;
  expect(error).toEqual({
    reason: 'invalid-job',
    text: 'task:bad: expected JSON {description, files}, got "no JSON"',
    job_id: job?.id,
    at: expect.any(String),
  });
  expect(await old.read('bad', 'result')).toBeNull();

  await old.post('refused', say('Refuse this [[refuse]]'));
  const refused = await until('refused', 'failed');
  expect(JSON.parse((await old.read('refused', 'error')) ?? '')).toMatchObject({ reason: 'refusal' });
  expect(await renewOldClaims(redis.db)).toBe(0);
  await fleet.retry({ ids: [refused?.id ?? ''] }, { data: say('Count') });
  await result('refused');
  expect(await old.read('refused', 'error')).toBeNull();
});

test('runs a new text of an id whose claim was left to expire, and never takes its old result for the new one', async () => {
  const { old, result } = await open();
  await old.post('x', say('One'));
  const first = await result('x');
  await old.post('x', say('Two'));
  await waitUntil(async () => (await old.read('x', 'result')) !== first);
  await old.post('x', say('One'));
  await old.post('y', say('Three'));
  await result('y');
  expect(await redis.redis.zcard(redis.keys.index)).toBe(3);
});

test('stores no finding beside that of an old worker that took the task meanwhile, and pays no reply twice', async () => {
  const { fleet, old, until } = await open();
  fleet.simulator.setLatency(1_500);
  await old.post('slow', say('Wait'));
  await waitUntil(async () => (await old.read('slow', 'claimed')) !== null);
  await redis.redis.set(redis.keys.oldTask('slow', 'claimed'), 'old_1', 'EX', 300); // the fleet's had expired
  await until('slow', 'delayed');
  expect(await old.read('slow', 'result')).toBeNull();
  expect(await redis.redis.zcard(redis.keys.index)).toBe(0);
  const cost = await redis.redis.get(redis.keys.cost('haiku'));
  await redis.redis.del(redis.keys.oldTask('slow', 'claimed'));
  await until('slow', 'completed');
  expect(await redis.redis.get(redis.keys.cost('haiku'))).toBe(cost);
  expect(await redis.redis.zcard(redis.keys.index)).toBe(1);
});

test('answers a task that is posted again and whose answer was removed with the same finding', async () => {
  const { old, result, until } = await open();
  await old.post('x', say('One'));
  const first = await result('x');
  await until('x', 'completed');
  await redis.redis.del(redis.keys.oldTask('x', 'result'));
  await old.post('x', say('One'));
  expect(await result('x')).toBe(first);
  expect(await redis.redis.zcard(redis.keys.index)).toBe(1);
});

test('keeps the claim while its job waits, and the next worker takes it over', async () => {
  const { fleet, old, jobOf, until } = await open();
  fleet.simulator.setLatency(1_000);
  await old.post('h', { description: 'Wait [[turns:2]]' });
  await waitUntil(async () => (await old.read('h', 'claimed')) !== null);
  const claim = redis.keys.oldTask('h', 'claimed');
  const lock = redis.keys.jobLock('tasks', (await jobOf('h')).id ?? '');
  await fleet.halt('a person looks');
  await waitUntil(async () => (await redis.redis.exists(lock)) === 0);
  await redis.redis.expire(claim, 20);
  expect(await renewOldClaims(redis.db)).toBe(1);
  expect(await redis.redis.ttl(claim)).toBeGreaterThan(290);
  await redis.redis.del(claim); // as after a long outage
  expect(await renewOldClaims(redis.db)).toBe(1);
  // The worker that had it is gone: its claim names it.
  const claims = redis.keys.bridge('claims');
  const record = JSON.parse((await redis.redis.hget(claims, 'h')) ?? '{}') as object;
  await redis.redis.hset(claims, 'h', JSON.stringify({ ...record, by: 'gone_1' }));
  await redis.redis.set(claim, 'gone_1', 'EX', 300);
  fleet.simulator.setLatency(5);
  await fleet.resume();
  await until('h', 'completed');
  expect(await redis.redis.zcard(redis.keys.index)).toBe(1);
  expect(await redis.redis.get(claim)).not.toBe('gone_1');
});

test('forgets a task that is gone, and nothing of one that is there', async () => {
  const { old, result, until } = await open();
  await old.post('there', say('One'));
  await old.post('gone', say('Two'));
  for (const id of ['there', 'gone']) await result(id);
  await until('gone', 'completed');
  await redis.redis.del(redis.keys.oldTask('gone'), redis.keys.oldTask('gone', 'result'));
  await redis.redis.del(redis.keys.oldTask('gone', 'claimed'));
  const now = redis.db.clock.now();
  const known = async () => (await redis.redis.hvals(redis.keys.bridge('known'))).length;
  await forgetOldTasks(redis.db, now);
  expect([await known(), await redis.redis.hkeys(redis.keys.bridge('ends'))]).toEqual([2, ['there']]);
  await forgetOldTasks(redis.db, now + 31 * DAY_S * 1_000);
  expect(await known()).toBe(1);
});
