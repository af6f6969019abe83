import { expect, it } from 'vitest';
import { GROWING, measureAfterWorks, OF_FIXED_LENGTH } from '../../../bench/growth.ts';
import type { FamilySize } from '../../../bench/key-families.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** BullMQ's own keys of a queue: a list of minutes comes only after a minute. */
const MOST_QUEUE_KEYS = 10;
const keysOf = (sizes: Map<string, FamilySize>) =>
  Object.fromEntries(
    [...sizes].map(([name, { keys }]) => [name, OF_FIXED_LENGTH.has(name) && keys <= MOST_QUEUE_KEYS ? 'few' : keys]),
  );

it(
  'keeps nothing but findings and ledger of tasks, failures and missions of long ago, however many there were',
  { timeout: 90_000 },
  async () => {
    const env = { FLEET_SWARM: redis.swarm, FLEET_HAIKU_CONCURRENCY: '20', FLEET_BUDGET_USD: '100000' };
    const work = { tasks: 100, failed: 20, missions: 5 };
    const [once, twice] = (await measureAfterWorks(testConfig(redis, env), [work, work])).map(
      (sizes) => new Map([...sizes].filter(([family]) => !GROWING.has(family))),
    );
    if (once === undefined || twice === undefined) throw new Error('two works have two results');
    expect(keysOf(twice)).toEqual(keysOf(once));
    for (const [name, { bytes }] of twice) {
      if (OF_FIXED_LENGTH.has(name)) continue;
      expect(bytes - (once.get(name)?.bytes ?? 0), `bytes of ${name}`).toBeLessThan(1_000);
    }
  },
);
