import { expect, test } from 'vitest';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { recountContext } from '../../../src/findings/external/recount.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeExternal } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const readTotal = async () => Number(await redis.redis.get(redis.keys.contextActive));

async function storeFindings(names: string[]): Promise<void> {
  await storeExternal(redis, Object.fromEntries(names.map((name) => [name, { result: `${name} is sold`.repeat(20) }])));
  await adoptAllExternal(redis.db);
}

test('tokens that other programs took from the total are in it again', async () => {
  const { redis: client, keys, db } = redis;
  await storeFindings(['tea', 'rum', 'salt']);
  await recountContext(db); // the first finding asks for it
  const whole = await readTotal();
  expect(await recountContext(db)).toBeNull();

  await client.del(keys.contextActive);
  expect(await recountContext(db)).toBe(whole);
  expect(await readTotal()).toBe(whole);

  // Removed, and counted again by the next finding only.
  await client.del(keys.contextActive);
  await storeFindings(['oil']);
  expect(await recountContext(db)).toBe(whole);

  // Removed, and a finding leaves.
  await client.del(keys.contextActive);
  await retractFinding(db, { id: 'oil', why: 'wrong', by: 'a test' });
  await recountContext(db);
  expect(await readTotal()).toBe(whole);

  // Of another type while findings were stored, then removed by a person.
  await client.del(keys.contextActive);
  await client.rpush(keys.contextActive, 'x');
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'tea') });
  await (await fleet.tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 20_000 });
  expect(await recountContext(db)).toBeNull();
  expect(await client.type(keys.contextActive)).toBe('list');
  await client.del(keys.contextActive);
  expect(await recountContext(db)).toBeGreaterThan(whole);
  expect(await recountContext(db)).toBeNull();
});
