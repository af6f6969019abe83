import { describe, expect, it } from 'vitest';
import { toMessage } from '../../../src/errors.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { toRedisError } from '../../../src/redis/errors/redis-errors.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const test = useRedis({ appendOnly: true });

describe('a producer', () => {
  it('fails with one line that names host, port and what to do, and no password', async () => {
    const url = `redis://someone:very-secret@127.0.0.1:${await findFreePort()}`;
    const failure = await connectRedis(url, { role: 'producer' }).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'RedisUnusableError' });
    expect(toMessage(failure)).toMatch(/^Redis is not reachable at 127\.0\.0\.1:\d+; start it, .*$/);
    expect(toMessage(failure)).not.toContain('very-secret');
  });

  it('names a refused login as such', async () => {
    const url = test.url.replace('//', '//nobody:wrong-password@');
    const failure = await connectRedis(url, { role: 'producer' }).catch((error: Error) => error);
    expect(toMessage(failure)).toMatch(/refuses the login of REDIS_URL/);
    expect(toMessage(failure)).not.toContain('wrong-password');
  });

  it('gives up on a server that accepts and never answers', async () => {
    process.kill(test.pid, 'SIGSTOP');
    try {
      const failure = await connectRedis(test.url, { role: 'producer' }).catch((error: Error) => error);
      expect(toMessage(failure)).toMatch(/not reachable/);
    } finally {
      process.kill(test.pid, 'SIGCONT');
    }
  });

  it('fails a command while Redis is gone and works again when it is back', async () => {
    const redis = await test.connect('producer');
    await test.kill();
    const failure = await redis.set('a', 1).catch((error: Error) => error);
    expect(toRedisError(failure, test.url)).toMatchObject({ name: 'RedisUnusableError' });
    await test.start();
    await waitUntil(() => redis.status === 'ready');
    expect(await redis.set('a', 1)).toBe('OK');
  });
});

describe('a worker', () => {
  it('waits for a Redis that is not there yet, and says so once', async () => {
    const said: string[] = [];
    const log = {
      warn: (_: object, text: string) => said.push(text),
      info: (_: object, text: string) => said.push(text),
    };
    await test.kill();
    const opening = connectRedis(test.url, { role: 'worker', log: log as never });
    await waitUntil(() => said.length > 0);
    await test.start();
    const redis = await opening;
    test.cleanup(() => redis.disconnect());
    expect(await redis.ping()).toBe('PONG');
    expect(said).toEqual(['Redis is not reachable; waiting for it', 'Redis is back']);
  });

  it('lets a command wait through a crash of Redis, with the data kept', async () => {
    const redis = await test.connect('worker');
    await redis.set('kept', 'yes');
    await waitUntil(async () => /aof_pending_bio_fsync:0/.test(await redis.info('persistence')));
    await test.kill();
    const reading = redis.get('kept');
    await test.start();
    expect(await reading).toBe('yes');
  });

  it('stops waiting when it is told to', async () => {
    const url = `redis://127.0.0.1:${await findFreePort()}`;
    const stop = new AbortController();
    const opening = connectRedis(url, { role: 'worker', signal: stop.signal });
    stop.abort(new Error('told to stop'));
    await expect(opening).rejects.toThrow('told to stop');
  });
});
