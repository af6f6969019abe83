import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('a worker in a long call says that it is alive, what it holds, and in the end that it is gone', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, slots: 3, env: { FLEET_WORKER_ID: 'w1' } });
  const worker = await fleet.startHaiku('http');
  const { keys } = redis;
  const status = (): Promise<string | null> => redis.redis.get(keys.workerStatus('w1'));
  const tasks = (): Promise<string[]> => redis.redis.lrange(keys.workerTasks('w1'), 0, -1);

  expect(await status()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/); // local, without zone
  const local = new Date(String(await status())); // read as local time
  expect(Math.abs(local.getTime() - Date.now())).toBeLessThan(60_000);
  const id = await fleet.add('Say hello [[turns:1]] [[latency:18000]]');
  await waitUntil(async () => (await tasks()).includes(id), { what: 'the task in its list' });
  expect(await redis.redis.ttl(keys.workerTasks('w1'))).toBeGreaterThan(0);

  const before = await status();
  await waitUntil(async () => (await status()) !== before, { timeoutMs: 20_000, what: 'the next heartbeat' });
  expect(await fleet.queue.getJobState(id)).toBe('active');
  expect(await tasks()).toEqual([id]);
  expect(await redis.redis.ttl(keys.workerStatus('w1'))).toBeGreaterThan(30);

  await fleet.until(id, 'completed');
  await waitUntil(async () => (await tasks()).length === 0, { what: 'an empty list' });
  await worker.close();
  expect(await redis.redis.exists(keys.workerStatus('w1'), keys.workerTasks('w1'))).toBe(0);
  expect(await redis.redis.hexists(keys.workers, 'w1')).toBe(0);
}, 60_000);
