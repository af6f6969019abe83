import { describe, expect, it } from 'vitest';
import { defineScripts } from '../../../src/redis/scripts.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();

describe('a script call', () => {
  const sessionKeys = () => ({
    session: test.keys.session,
    costs: test.keys.costs,
    costOther: test.keys.cost('other'),
    booked: test.keys.booked,
    totals: test.keys.sessionTotals('first'),
  });

  it('works again after Redis forgot the script', async () => {
    const scripts = defineScripts(test.redis);
    const now = new Date().toISOString();
    expect(await scripts['current-session'](sessionKeys(), ['today', now, 'first'])).toBe('first');
    await test.redis.script('FLUSH');
    expect(await scripts['current-session'](sessionKeys(), ['today', now, ''])).toBe('first');
  });

  it('with too few keys is refused before it reaches Redis', async () => {
    const scripts = defineScripts(test.redis);
    const none = {} as ReturnType<typeof sessionKeys>;
    await expect(scripts['current-session'](none, [])).rejects.toThrow('current-session: expected 5 keys, got 0');
  });
});
