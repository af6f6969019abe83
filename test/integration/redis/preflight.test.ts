import { describe, expect, it } from 'vitest';
import { createDb } from '../../../src/redis/db.ts';
import { DATA_LAYOUT, markSwarm, readRedisFacts, runPreflight } from '../../../src/redis/preflight.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();

describe('preflight', () => {
  it('accepts a Redis of the fleet and warns that there is no append-only file', async () => {
    const { facts, warnings } = await runPreflight(test.db);
    expect(facts).toMatchObject({ evictionPolicy: 'noeviction', appendOnly: false });
    expect(warnings).toEqual([expect.stringContaining('append-only')]);
  });

  it('refuses a Redis that evicts data', async () => {
    await test.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    test.cleanup(() => test.redis.config('SET', 'maxmemory-policy', 'noeviction'));
    await expect(runPreflight(test.db)).rejects.toThrow(/maxmemory-policy allkeys-lru.*noeviction/);
  });

  it('refuses a Redis that cannot be written to', async () => {
    await test.redis.config('SET', 'maxmemory', '1');
    test.cleanup(() => test.redis.config('SET', 'maxmemory', '0'));
    await expect(runPreflight(await test.connectDb('producer'))).rejects.toThrow(/OOM command not allowed/);
  });

  it('refuses data of a newer build', async () => {
    await test.redis.hset(test.keys.swarmMark, 'layout', DATA_LAYOUT + 1);
    await expect(runPreflight(test.db)).rejects.toThrow(/newer fleet/);
  });

  it('works, without knowing the policy, where CONFIG and INFO are refused for a user', async () => {
    await test.redis.acl('SETUSER', 'guest', 'on', '>guest-password', '~*', '&*', '+@all', '-config');
    test.cleanup(() => test.redis.acl('DELUSER', 'guest'));
    const redis = (await test.connect()).duplicate({
      username: 'guest',
      password: 'guest-password',
      lazyConnect: true,
    });
    test.cleanup(() => redis.disconnect());
    await redis.connect();
    expect(await readRedisFacts(redis)).toMatchObject({ evictionPolicy: 'noeviction' });
  });
});

describe('the mark of a swarm', () => {
  it('refuses simulated work in a real swarm, and the other way round', async () => {
    await markSwarm(test.db, 'real');
    await markSwarm(test.db, 'real');
    await expect(markSwarm(test.db, 'simulated')).rejects.toThrow(/holds real work.*FLEET_OFFLINE/);
    const other = createDb(test.redis, `${test.swarm}x`);
    await markSwarm(other, 'simulated');
    await expect(markSwarm(other, 'real')).rejects.toThrow(/holds simulated work/);
  });

  it('lets exactly one kind win when both come at once', async () => {
    const results = await Promise.allSettled([
      markSwarm(test.db, 'real'),
      markSwarm(await test.connectDb(), 'simulated'),
    ]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});
