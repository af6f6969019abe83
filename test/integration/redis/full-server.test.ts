import { expect, test, vi } from 'vitest';
import { createLogger } from '../../../src/process/logger.ts';
import { createDb } from '../../../src/redis/db.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { startHeartbeat } from '../../../src/swarm/heartbeat.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Each makes the server refuse every write for a while, as a full disk does. */
const FULL = [
  ['replicas are away', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ['memory is full', ['maxmemory', '1'], ['maxmemory', '0']],
] as const;

test.each(FULL)('what a worker sends waits while %s, each command once', async (_, full, well) => {
  const log = { warn: (_fields: object, text: string) => lines.push(text), info: () => undefined };
  const lines: string[] = [];
  const worker = await connectRedis(redis.url, { role: 'worker', name: 'test-own', log: log as never });
  redis.cleanup(() => worker.disconnect());
  redis.cleanup(() => redis.redis.config('SET', ...well));
  await redis.redis.config('SET', ...full);
  const key = (name: string): string => `{${redis.swarm}}:${name}`;
  const sent = Promise.all([
    worker.set(key('plain'), '1'),
    worker.pipeline().hincrby(key('hash'), 'a', 1).hincrby(key('hash'), 'b', 2).exec(),
    worker.multi().incr(key('count')).incr(key('count')).exec(),
    createDb(worker, redis.swarm)
      .scripts['delete-if']({ hash: key('hash-2') }, ['a', 'b', 'c'])
      .catch(String),
  ]);
  const first = await Promise.race([
    sent.then(() => 'answered'),
    new Promise((resolve) => setTimeout(resolve, 1_200, 'waits')),
  ]);
  expect(first).toBe('waits');
  expect(lines).toEqual(['Redis takes nothing more for now; waiting for it']);

  await redis.redis.config('SET', ...well);
  const [plain, chain, transaction] = await sent;
  expect([plain, chain, transaction]).toEqual([
    'OK',
    [
      [null, 1],
      [null, 2],
    ],
    [
      [null, 1],
      [null, 2],
    ],
  ]);
  expect(await redis.redis.hgetall(key('hash'))).toEqual({ a: '1', b: '2' });
  expect(await redis.redis.get(key('count'))).toBe('2');
});

test('of many commands that wait for a full server one asks again for all', async () => {
  const worker = await redis.connect('worker');
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', '1');
  await redis.redis.config('RESETSTAT');
  const key = (i: number): string => `{${redis.swarm}}:${i}`;
  const sent = Promise.all(Array.from({ length: 200 }, (_, i) => worker.set(key(i), i)));
  const rejected = async (): Promise<number> =>
    Number(/cmdstat_set:.*rejected_calls=(\d+)/.exec(await redis.redis.info('commandstats'))?.[1] ?? 0);
  await expect.poll(rejected, { timeout: 5_000 }).toBeGreaterThan(201);
  expect(await rejected()).toBeLessThan(210);
  await redis.redis.config('SET', 'maxmemory', '0');
  expect(new Set(await sent)).toEqual(new Set(['OK']));
  expect(await redis.redis.get(key(199))).toBe('199');
});

test.each(FULL)('a script of a person is told at once while %s', async (_, full, well) => {
  const producer = await redis.connect('producer');
  redis.cleanup(() => redis.redis.config('SET', ...well));
  await redis.redis.config('SET', ...full);
  await expect(producer.set('{x}:x', '1')).rejects.toThrow(/NOREPLICAS|OOM/);
  await expect(producer.multi().set('{x}:x', '1').exec()).rejects.toThrow(/EXECABORT|OOM|NOREPLICAS/);
});

test('heartbeats do not pile up while the server is full', async () => {
  const worker = await redis.connect('worker');
  const heartbeat = startHeartbeat({
    db: createDb(worker, redis.swarm),
    log: createLogger('test', 'silent'),
    workerId: 'w1',
    slots: 1,
    workspaces: [],
    programs: [],
    activeJobs: () => [],
    hold: async () => undefined,
  });
  redis.cleanup(() => heartbeat.stop());
  await heartbeat.beat();
  const begun = vi.spyOn(worker, 'multi');
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', '1');
  for (let i = 0; i < 5; i += 1) {
    heartbeat.touch();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(begun).toHaveBeenCalledTimes(1);
  await redis.redis.config('SET', 'maxmemory', '0');
  await expect.poll(() => begun.mock.calls.length, { timeout: 5_000 }).toBe(2); // one for all changes meanwhile
});
