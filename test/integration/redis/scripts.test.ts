import { describe, expect, it } from 'vitest';
import { defineScripts } from '../../../src/redis/scripts.ts';
import { useRedis } from '../../support/redis.ts';

const test = useRedis();

describe('a script call', () => {
  const sessionKeys = () => [
    test.keys.session,
    test.keys.cost('haiku'),
    test.keys.cost('sonnet'),
    test.keys.cost('gemini'),
    test.keys.cost('other'),
    test.keys.booked,
    test.keys.sessionTotals('first'),
  ];

  it('works again after Redis forgot the script', async () => {
    const scripts = defineScripts(test.redis);
    const now = new Date().toISOString();
    expect(await scripts['current-session'](sessionKeys(), ['today', now, 'first'])).toBe('first');
    await test.redis.script('FLUSH');
    expect(await scripts['current-session'](sessionKeys(), ['today', now, ''])).toBe('first');
  });

  it('with too few keys is refused before it reaches Redis', async () => {
    const scripts = defineScripts(test.redis);
    await expect(scripts['current-session']([], [])).rejects.toThrow('current-session: expected 7 keys, got 0');
  });
});
