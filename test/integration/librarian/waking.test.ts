import { expect, test } from 'vitest';
import { QuotaError } from '../../../src/errors.ts';
import { openChangedShards } from '../../../src/librarian/opening/changed-shards.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { testShards } from '../../support/fleet/gate.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SHARDS = [1, 2, 3, 4, 5];
const log = createLogger('test', 'silent');

/** A librarian whose shards have all used up their day, with questions that wait for the reset, hours away. */
async function useWaitingQuestions(count: number): Promise<TestFleet> {
  await storeFindings(redis, { finding_tea: { task: 'How much tea?', result: '40 crates' } });
  let isUsedUp = true;
  const archive = createScriptedArchive(() => {
    if (isUsedUp) {
      const quota = { scope: 'day', retryAfterMs: 0, statedLimit: null } as const;
      throw new QuotaError('gemini', quota, 'used up');
    }
    return { answer: '40 [finding_tea].', citations: ['finding_tea'] };
  });
  const fleet = await useFleet(redis, { librarian: archive });
  const { db, queues } = fleet.inner;
  const ids = Array.from({ length: count }, (_, i) => `q${i}`);
  for (const queryId of ids) {
    await addQuery({ db, queue: queues.archive }, { question: `Tea ${queryId}?` }, { queryId, session: 'today' });
  }
  await waitUntil(async () => (await queues.archive.getDelayedCount()) === count, { what: 'all wait' });
  isUsedUp = false;
  return fleet;
}

test('questions that wait for the next day are asked once the day is new, hours before their time', async () => {
  const fleet = await useWaitingQuestions(3);
  const { keys } = redis;
  // What the midnight does: the public keys expire.
  await redis.redis.del(...SHARDS.flatMap((shard) => [keys.shardQuota(shard), keys.shardStatus(shard)]));
  await waitUntil(async () => (await fleet.inner.queues.archive.getCompletedCount()) === 3, { what: 'the answers' });
});

test('no more questions are woken than a shard has calls left', async () => {
  const fleet = await useWaitingQuestions(30);
  const { archive } = fleet.inner.queues;
  const before = Number((await fleet.counters())['waits_shards']);
  await redis.redis.set(redis.keys.shardStatus(1), 'active', 'KEEPTTL');
  await redis.redis.set(redis.keys.shardQuota(1), '4', 'KEEPTTL');
  await waitUntil(async () => (await archive.getCompletedCount()) === 4, { what: 'four answers' });
  await waitUntil(async () => (await archive.getDelayedCount()) === 26, { what: 'the others wait' });
  expect(Number((await fleet.counters())['waits_shards']) - before).toBeLessThan(8);
});

test('a shard with another key is open again, and so is one with more calls a day', async () => {
  const { db, keys } = redis;
  const shards = testShards(2, { rpd: 10 }).map((shard) => ({ ...shard, apiKey: `first-${shard.number}` }));
  await openChangedShards(db, shards, { log });
  for (const shard of [1, 2]) {
    await db.redis.set(keys.shardQuota(shard), '0', 'EX', 600);
    await db.redis.set(keys.shardStatus(shard), 'exhausted', 'EX', 600);
    await db.redis.hset(keys.shardState(shard), 'failures', 3, 'closed_until', 9e12, 'closed_reason', 'refused');
  }
  await openChangedShards(db, shards, { log });
  expect(await db.redis.hget(keys.shardState(1), 'closed_reason')).toBe('refused');

  const [one, two] = shards;
  if (!one || !two) throw new Error('two shards');
  await openChangedShards(
    db,
    [
      { ...one, apiKey: 'second' },
      { ...two, rpd: 25 },
    ],
    { log },
  );
  expect(await db.redis.hget(keys.shardState(1), 'closed_reason')).toBe(null);
  expect(await db.redis.get(keys.shardQuota(1))).toBe(null);
  expect(await db.redis.hget(keys.shardState(2), 'closed_reason')).toBe('refused');
  expect(await db.redis.mget(keys.shardQuota(2), keys.shardStatus(2))).toEqual(['15', 'active']);
  expect(await db.redis.ttl(keys.shardQuota(2))).toBeGreaterThan(0);
});

test('librarians with different limits of one shard, started in turns, add no call twice', async () => {
  const { db, keys } = redis;
  const start = async (rpd: number): Promise<void> => {
    const shards = testShards(1, { rpd }).map((shard) => ({ ...shard, apiKey: 'one' }));
    await openChangedShards(db, shards, { log });
  };
  const left = (): Promise<string | null> => db.redis.get(keys.shardQuota(1));
  await start(20);
  await db.redis.set(keys.shardQuota(1), '0', 'EX', 600); // 20 of 20 are used
  await start(30);
  expect(await left()).toBe('10');
  for (const rpd of [20, 30, 20, 30]) await start(rpd);
  expect(await left(), 'the limit of the day was 30 before').toBe('10');
  await start(35);
  expect(await left()).toBe('15');

  const beginDay = (): Promise<number> => db.redis.hset(keys.shardProject('shard1'), 'rpd_day', '2000-01-01');
  await beginDay();
  await start(20);
  await beginDay();
  await start(25);
  expect(await left()).toBe('20');
});
