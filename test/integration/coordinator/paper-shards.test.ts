import { describe, expect, test } from 'vitest';
import { testShards } from '../../../src/librarian/test-shards.ts';
import { createArchiveModels } from '../../../src/models/create/archive-models.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { shardEnvironment, SHARD_KEYS } from '../../support/fleet/paper-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

async function openShards() {
  const simulator = await startSimulator({ gemini: { latencyMs: 0 } });
  redis.cleanup(() => simulator.close());
  const config = testConfig(redis, shardEnvironment(simulator));
  const models = await createArchiveModels(config);
  redis.cleanup(() => models.close());
  const run = (name: string) =>
    testShards(config, { session: 's1', forShard: models.forShard, name, missionId: 'paper-1', reopen: true });
  return { gemini: simulator.gemini, run };
}

describe('a test of the shards before a paper', () => {
  test('begun again by a crash asks no shard that has answered, and books to the mission', async () => {
    const { gemini, run } = await openShards();
    await run('paper-1-shards-0');

    const again = await run('paper-1-shards-0');

    expect(again.map(({ ok }) => ok)).toEqual(SHARD_KEYS.map(() => true));
    expect(gemini.requests()).toHaveLength(SHARD_KEYS.length);
    const spend = await redis.redis.hgetall(redis.keys.spend('mission:paper-1'));
    expect(Object.keys(spend)).toContain('settled');
  });

  test('asks a shard once more that was left alone after a refusal', async () => {
    const { gemini, run } = await openShards();
    gemini.configure({ acceptKeys: SHARD_KEYS.slice(1) });
    expect((await run('first')).filter(({ ok }) => !ok)).toEqual([
      expect.objectContaining({ shard: 1, problem: expect.stringContaining('API key') }),
    ]);
    gemini.configure({ acceptKeys: SHARD_KEYS });
    expect((await run('second')).every(({ ok }) => ok)).toBe(true);
  });

  test('calls a shard whose day is used up one that does not work, and says until when', async () => {
    const { run } = await openShards();
    await redis.redis.set(redis.keys.shardQuota(3), '0');
    expect((await run('first')).find(({ shard }) => shard === 3)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/no room until .* \(day\)/),
    });
  });
});
