import { expect, test } from 'vitest';
import type { RedisRole } from '../../../src/redis/connect.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { startCuttingProxy } from '../../support/redis/cutting-proxy.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test.each<RedisRole>(['worker', 'producer'])(
  'completes the chains of a %s of which a broken connection left a part of the answers',
  async (role) => {
    const proxy = await startCuttingProxy(redis, { oneIn: 4 });
    const connection = await connectRedis(proxy.url, { role, name: 'test-own', timeoutMs: 5_000 });
    redis.cleanup(() => connection.disconnect());

    const pipeline = connection.pipeline();
    for (let i = 0; i < 30; i += 1) pipeline.set(`p${i}`, i).get(`p${i}`);
    const answers = (await pipeline.exec()) ?? [];
    expect(answers.map(([error]) => error)).toEqual(Array.from({ length: 60 }, () => null));
    expect(answers.map(([, answer]) => answer)).toEqual(Array.from({ length: 30 }, (_, i) => ['OK', String(i)]).flat());

    const transaction = connection.multi().set('a', 1).hset('b', { c: 2, d: 3 }).hgetall('b');
    expect(await transaction.exec()).toEqual([
      [null, 'OK'],
      [null, expect.any(Number)],
      [null, { c: '2', d: '3' }],
    ]);
    expect(proxy.cuts()).toBeGreaterThan(3);
  },
);

test.each<RedisRole>(['worker', 'producer'])(
  'a chain of a %s ends if its connection is closed for good',
  async (role) => {
    const connection = await connectRedis(redis.url, { role, name: 'test-own', timeoutMs: 5_000 });
    const half = connection
      .pipeline()
      .set('half', 1)
      .blpop('never', 0)
      .exec()
      .then(
        (answers) => answers?.[1]?.[0],
        (error: unknown) => error,
      );
    await expect.poll(() => redis.redis.exists('half')).toBe(1);
    connection.disconnect();
    expect(await half).toMatchObject({ message: 'Connection is closed.' });
  },
);
