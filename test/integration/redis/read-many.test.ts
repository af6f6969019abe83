import { describe, expect, it } from 'vitest';
import { readMany } from '../../../src/redis/read-many.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

describe('readMany', () => {
  it('returns each reply under the name of its command', async () => {
    const { redis } = fixture;
    await redis.set('text', 'hello');
    await redis.hset('fields', { a: '1', b: '2' });
    const replies = await readMany(redis, {
      text: (r) => r.get('text'),
      none: (r) => r.get('missing'),
      count: (r) => r.hlen('fields'),
      fields: (r) => r.hgetall('fields'),
    });
    expect(replies).toEqual({ text: 'hello', none: null, count: 2, fields: { a: '1', b: '2' } });
  });

  it('reads a key of another type as a missing one', async () => {
    const { redis } = fixture;
    await redis.set('text', 'hello');
    const replies = await readMany(redis, {
      text: (r) => r.get('text'),
      count: (r) => r.hlen('text'),
      ids: (r) => r.zrange('text', 0, '-1'),
      field: (r) => r.hget('text', 'a'),
      fields: (r) => r.hgetall('text'),
    });
    expect(replies).toEqual({ text: 'hello', count: 0, ids: [], field: null, fields: {} });
  });

  it('throws what else Redis answers', async () => {
    const { redis } = fixture;
    await redis.set('text', 'hello');
    await expect(readMany(redis, { one: (r) => r.get('text'), two: (r) => r.incr('text') })).rejects.toThrow('integer');
  });
});
