import { expect, test } from 'vitest';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { createOldPrograms } from '../../support/bridge/old-programs.ts';
import { startOldWorker } from '../../support/bridge/old-worker.ts';
import { useFleet, type FleetSetup } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LONG = { timeoutMs: 60_000 };

async function open(setup: FleetSetup) {
  const fleet = await useFleet(redis, setup);
  await fleet.startBridge({ FLEET_BRIDGE_V2: '1' });
  const old = createOldPrograms(redis.redis, redis.keys.publicPrefix);
  const readJson = async (key: string): Promise<unknown> => JSON.parse((await redis.redis.get(key)) ?? 'null');
  return { fleet, old, readJson };
}

test('answers a task of a memory shard as its program reads it, once, and counts only the finding', async () => {
  const model = createScriptedModel(() => 'three patterns');
  const { fleet, old } = await open({ haiku: model });
  const shard = await old.openShard('research');
  const id = await shard.spawn('if.search_pass1', 'Find patterns', { query: 'q' });
  await waitUntil(async () => (await shard.findings()).length > 0, LONG);
  const [found] = await shard.findings();
  expect(found).toMatchObject({ task_id: id, content: { summary: 'three patterns' } });
  expect(await redis.redis.hgetall(redis.keys.oldTask(id))).toMatchObject({
    status: 'completed',
    finding_id: found?.finding_id,
  });
  expect(await redis.redis.lrange(redis.keys.oldQueue('if.search_pass1'), 0, -1)).toEqual([]);
  expect(await adoptAllExternal(redis.db)).toBe(0);
  expect(await redis.redis.zcard(redis.keys.index)).toBe(1);
  const stamped = (await fleet.queue.getJobs(['completed'])).map(({ data }) => data as object);
  expect(stamped).toMatchObject([{ shard: shard.id, bridge: { task: id, form: 'v2', type: 'if.search_pass1' } }]);

  await redis.redis.hset(redis.keys.oldTask(id), 'status', 'pending'); // the same task again
  await redis.redis.rpush(redis.keys.oldQueue('if.search_pass1'), id);
  await redis.redis.rpush(redis.keys.oldShard(shard.id, 'tasks'), id);
  await waitUntil(async () => (await redis.redis.hget(redis.keys.oldTask(id), 'status')) === 'completed', LONG);
  expect(await shard.findings()).toHaveLength(1);
  expect(model.calls).toHaveLength(1);
});

test('shares the tasks of a shard with old workers: each is done once', async () => {
  const model = createScriptedModel(() => 'done');
  const { old } = await open({ haiku: model });
  const worker = await startOldWorker(redis, { id: 'worker_1', mode: 'v2:analysis', workMs: 5 });
  const shard = await old.openShard();
  const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => shard.spawn('analysis', `Analyse ${i}`)));
  await waitUntil(async () => (await shard.findings()).length >= ids.length, LONG);
  const done = (await shard.findings()).map(({ task_id }) => task_id);
  expect(done.toSorted()).toEqual(ids.toSorted());
  expect(model.calls.length + worker.ran().length).toBe(ids.length);
});

test('tells a memory shard of a failure, and of the result after a retry by hand', async () => {
  let isBroken = true;
  const model = createScriptedModel(() => {
    if (isBroken) return { text: 'x', stopReason: 'refusal' };
    return 'mended';
  });
  const { fleet, old } = await open({ haiku: model });
  const shard = await old.openShard();
  const id = await shard.spawn('analysis', 'Try');
  const task = () => redis.redis.hgetall(redis.keys.oldTask(id));
  await waitUntil(async () => (await task())['status'] === 'failed', LONG);
  expect(await task()).toMatchObject({ error: expect.stringMatching(/\S/) as string });
  isBroken = false;
  const [job] = await fleet.queue.getJobs(['failed']);
  await job?.retry();
  await waitUntil(async () => (await task())['status'] === 'completed', LONG);
  expect(await task()).not.toHaveProperty('error');
  expect(await shard.findings()).toMatchObject([{ task_id: id, content: { summary: 'mended' } }]);
});

test('answers questions of queue:archive_query in the form that their program reads', async () => {
  const archive = createScriptedArchive(({ prompt }) => {
    if (prompt.includes('broken')) return { text: 'no JSON', finish: 'stop' };
    return { answer: 'NOT IN ARCHIVE' };
  });
  const { old, readJson } = await open({ librarian: archive });
  await redis.redis.rpush(redis.keys.oldQueue('archive_query'), 'no question');
  const id = await old.ask('What was found?');
  const read = async (query: string) => {
    const [first] = await redis.redis.lrange(redis.keys.queryFindings(query), 0, -1);
    return first === undefined ? null : readJson(redis.keys.finding(first));
  };
  expect(await waitUntil(() => read(id), LONG)).toMatchObject({ query_id: id, answer: 'NOT IN ARCHIVE', sources: [] });
  const again = await old.ask('What was found?');
  await waitUntil(() => read(again), LONG);
  expect(await adoptAllExternal(redis.db)).toBe(0);
  expect(await redis.redis.zcard(redis.keys.indexAnswers)).toBe(2);
  expect(await redis.redis.lrange(redis.keys.queryFindings(id), 0, -1)).toHaveLength(1);
  expect(await redis.redis.hlen(redis.keys.bridge('asked'))).toBe(0);
  expect(await redis.redis.llen(redis.keys.bridgeInbox('archive_query'))).toBe(0);
});

test('helps an old worker that asks its peers, and leaves what an old helper has claimed', async () => {
  const model = createScriptedModel(() => '{"helps":true,"answer":"read Q2.csv"}');
  const { old, readJson, fleet } = await open({ haiku: model });
  const id = await old.askForHelp('Q2 is missing', 'urgent');
  const solution = await waitUntil(() => readJson(redis.keys.assist('solution', id)), LONG);
  expect(solution).toMatchObject({ assist_id: id, solution: 'read Q2.csv' });
  expect(JSON.stringify(model.calls[0]?.messages)).toContain('Q2 is missing');
  await redis.redis.set(redis.keys.assist('lock', 'assist_taken'), 'worker_1', 'EX', 30);
  await redis.redis.set(redis.keys.assist('request', 'assist_taken'), '{"assist_id":"assist_taken"}', 'EX', 300);
  await redis.redis.rpush(redis.keys.oldQueue('assist_high'), 'assist_taken', 'assist_expired');
  const inbox = redis.keys.bridgeInbox('assist_high');
  const left = () => Promise.all([redis.redis.llen(redis.keys.oldQueue('assist_high')), redis.redis.llen(inbox)]);
  await waitUntil(async () => (await left()).every((count) => count === 0), LONG);
  expect(await fleet.queue.getJobCountByTypes('wait', 'active', 'delayed', 'completed', 'failed')).toBe(1);
});
