import { expect, test } from 'vitest';
import { checkShardKeys } from '../../../src/doctor/fleet-checks.ts';
import { toKeyDigest } from '../../../src/librarian/gate/shard-project.ts';
import { openChangedShards, takeAbandonedShards } from '../../../src/librarian/opening/changed-shards.ts';
import { noticesOf } from '../../../src/status/notices/notices.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { testShards } from '../../support/fleet/gate.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const log = { info: () => undefined };

function createArchive(): ScriptedArchive {
  return createScriptedArchive((call) => ({ answer: `40 crates. [${idsShown(call)[0]}]` }));
}

function startWithKey(key: string, librarian: ScriptedArchive): Promise<TestFleet> {
  return useFleet(redis, { env: { GEMINI_API_KEY: key, GEMINI_TIER: 'free' }, librarian });
}

async function readNotice({ inner: { db } }: TestFleet) {
  const snapshot = await readStatus(db, { defaultDayLimitNanoUsd: 0 });
  return { conflicts: snapshot.keyConflicts, notice: noticesOf(snapshot).find(({ kind }) => kind === 'shard-keys') };
}

test('of two librarians with different keys for one shard only the newer asks, and status and doctor name both', async () => {
  await storeFindings(redis, { finding_tea: { task: 'How much tea?', result: '40 crates' } });
  const [old, fresh] = [createArchive(), createArchive()];
  await startWithKey('key-old', old);
  const fleet = await startWithKey('key-new', fresh);

  const { conflicts, notice } = await readNotice(fleet);
  expect(conflicts).toMatchObject([{ shard: 1, asking: [{}], stale: [{}] }]);
  const [{ asking, stale } = { asking: [], stale: [] }] = conflicts;
  expect(asking[0]?.worker).not.toBe(stale[0]?.worker);
  expect(notice).toMatchObject({ level: 'warning', command: 'fleet reload' });
  expect(notice?.text).toContain(`${stale[0]?.worker} on ${stale[0]?.host}`);
  const check = await checkShardKeys(fleet.inner.db);
  expect(check).toMatchObject({ ok: false, what: 'shard keys', fix: expect.stringContaining('GEMINI_API_KEY_SHARD1') });
  expect(JSON.stringify([check, await redis.redis.hgetall(redis.keys.shardKeys)])).not.toMatch(/key-(old|new)/);

  const asked = await Promise.all([1, 2, 3, 4].map((n) => fleet.ask(`How much tea? ${n}`)));
  await Promise.all(asked.map((query) => query.finding({ timeoutMs: 60_000 })));
  expect([old.calls.length, fresh.calls.length]).toEqual([0, 4]);
}, 90_000);

test('librarians with one key are no conflict, and a note goes with its librarian', async () => {
  const fleet = await startWithKey('key-1', createArchive());
  const second = await fleet.startLibrarian(createArchive());
  expect(await redis.redis.hlen(redis.keys.shardKeys)).toBe(2);
  expect(await readNotice(fleet)).toEqual({ conflicts: [], notice: undefined });
  expect(await checkShardKeys(fleet.inner.db)).toMatchObject({ ok: true });
  await second.close();
  expect(await redis.redis.hlen(redis.keys.shardKeys)).toBe(1);
});

test('a librarian that is started again with the key from before leaves the shard to a live one, until that is gone', async () => {
  const { db } = redis;
  const withKey = (apiKey: string) => testShards(1).map((shard) => ({ ...shard, apiKey }));
  const readKey = (): Promise<string | null> => redis.redis.hget(redis.keys.shardState(1), 'key');
  await openChangedShards(db, withKey('a'), { log });
  await openChangedShards(db, withKey('b'), { log });
  const held = new Set([`1:${toKeyDigest('b')}`]);
  await openChangedShards(db, withKey('a'), { log, held });
  await takeAbandonedShards(db, withKey('a'), { log, held });
  expect(await readKey()).toBe(toKeyDigest('b'));
  await takeAbandonedShards(db, withKey('a'), { log });
  expect(await readKey()).toBe(toKeyDigest('a'));
  await openChangedShards(db, withKey('c'), { log, held }); // a key that the shard never had is a person's
  expect(await readKey()).toBe(toKeyDigest('c'));
});
