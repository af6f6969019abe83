import { expect, test } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { createOldPrograms } from '../../support/bridge/old-programs.ts';
import { useFleet, type FleetSetup } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LONG = { timeoutMs: 60_000 };
/** JSON that can be parsed, and not written again. */
const DEEP = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

async function open(setup: FleetSetup) {
  const fleet = await useFleet(redis, setup);
  await fleet.startBridge({ FLEET_BRIDGE_V2: '1' });
  return { fleet, old: createOldPrograms(redis.redis, redis.keys.publicPrefix), poster: createOldPoster(redis.db) };
}

test('serves the next request for help after one that is too deep, and shows the beginning of one that is huge', async () => {
  const model = createScriptedModel(() => '{"helps":true,"answer":"read Q2.csv"}');
  const { old, fleet } = await open({ haiku: model });
  const huge = JSON.stringify({ blocker_details: 'x'.repeat(1_000_000) });
  await redis.redis.setex(redis.keys.assist('request', 'deep'), 300, `{"blocker_details":${DEEP}}`);
  await redis.redis.setex(redis.keys.assist('request', 'huge'), 300, huge);
  await redis.redis.rpush(redis.keys.oldQueue('assist_normal'), 'deep', 'huge');
  const id = await old.askForHelp('Q2 is missing');
  for (const one of [id, 'huge', 'deep']) {
    await waitUntil(() => redis.redis.exists(redis.keys.assist('solution', one)), LONG);
  }
  for (const { data } of await fleet.queue.getJobs(['completed'])) {
    expect(JSON.stringify(data).length).toBeLessThan(30_000);
  }
});

test('answers the next question after one that is too deep, which ends with an error', async () => {
  const { old } = await open({ librarian: createScriptedArchive(() => ({ answer: 'NOT IN ARCHIVE' })) });
  await redis.redis.rpush(redis.keys.oldQueue('archive_query'), `{"query_id":"deep","question":"x","filter":${DEEP}}`);
  const id = await old.ask('What was found?');
  for (const query of [id, 'deep']) {
    await waitUntil(() => redis.redis.llen(redis.keys.queryFindings(query)), LONG);
  }
  const [alias = ''] = await redis.redis.lrange(redis.keys.queryFindings('deep'), 0, -1);
  expect(JSON.parse((await redis.redis.get(redis.keys.finding(alias))) ?? '{}')).toMatchObject({
    query_id: 'deep',
    error: { reason: 'invalid-job' },
  });
});

test('answers a memory shard that is named as none of the fleet could be, and keeps its finding apart', async () => {
  const { old, fleet } = await open({ haiku: createScriptedModel(() => 'found') });
  const shard = await old.openShard('odd: {one}');
  await shard.spawn('analysis', 'Look');
  await waitUntil(async () => (await shard.findings()).length, LONG);
  const [id = ''] = (await shard.findings()).map(({ content }) => (content as { finding_id: string }).finding_id);
  expect((await fleet.findings.get(id))?.shard).toMatch(/^memory_odd-one-_?[\w-]*-[0-9a-f]{16}$/);
});

test('answers a text again that an old worker did, and one after another text of its id', async () => {
  const { poster } = await open({ haiku: createScriptedModel(() => 'found') });
  const result = () => poster.read('a', 'result');
  await redis.redis.set(redis.keys.oldTask('a', 'claimed'), 'old_1', 'EX', 300);
  await redis.redis.set(redis.keys.oldTask('a', 'result'), 'finding_a');
  await poster.post('a', { description: 'Count' });
  await waitUntil(() => redis.redis.hget(redis.keys.bridge('ends'), 'a'), LONG);
  await redis.redis.del(redis.keys.oldTask('a', 'result'), redis.keys.oldTask('a', 'claimed'));
  await poster.post('a', { description: 'Count' });
  expect(await waitUntil(result, LONG)).toBe('finding_a');

  await poster.post('b', { description: 'First' });
  const first = await waitUntil(() => poster.read('b', 'result'), LONG);
  await poster.post('b', { description: 'Second' });
  const second = await waitUntil(async () => {
    const now = await poster.read('b', 'result');
    return now !== first && now;
  }, LONG);
  await poster.post('b', { description: 'First' });
  await waitUntil(async () => (await poster.read('b', 'result')) === first, LONG);
  await poster.post('b', { description: 'Second' });
  await waitUntil(async () => (await poster.read('b', 'result')) === second, LONG);
});
