import { expect, test } from 'vitest';
import { checkMemory } from '../../../src/halt/memory.ts';
import { openHttpLane } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const BY_HAND = { reason: 'person', step: 'by hand', by: 'ada@box', detail: 'a look around' };

test('a halt lets running calls end and be stored, puts their jobs back, and starts nothing more', async () => {
  const lane = await openHttpLane(redis, { workers: 2, slots: 3, simulator: { latencyMs: 400 } });
  const ids = await Promise.all(Array.from({ length: 10 }, (_, at) => lane.add(`Say ${at} [[turns:3]]`)));
  await waitUntil(() => lane.simulator.requests().length === 6, { what: 'six calls' });

  expect(await lane.halt.halt(BY_HAND)).toBe(true);
  expect(await lane.halt.halt({ ...BY_HAND, reason: 'another' })).toBe(false);
  await waitUntil(async () => (await lane.queue.getActiveCount()) === 0, { what: 'a fleet that stands still' });

  const records = lane.simulator.requests();
  expect(records).toHaveLength(6);
  expect(records.every((record) => record.served && !record.clientGone)).toBe(true);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 6, uncertainCalls: 0, reserved: 0 });
  expect(await lane.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 10, failed: 0 });
  expect(await lane.halt.read()).toMatchObject(BY_HAND);

  await lane.halt.resume();
  for (const id of ids) await lane.until(id, 'completed', 30_000);
  expect(lane.simulator.requests()).toHaveLength(30); // nothing was asked for twice
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 30, uncertainCalls: 0 });
});

test('lifting a halt resumes what it paused, not what a person paused', async () => {
  const lane = await openHttpLane(redis);
  const { missions, tasks } = lane.fleet.inner.queues;
  await missions.pause();
  await lane.halt.halt(BY_HAND);
  expect(await tasks.isPaused()).toBe(true);
  await lane.halt.resume();
  expect(await tasks.isPaused()).toBe(false);
  expect(await missions.isPaused()).toBe(true);
  await expect(lane.halt.resume()).rejects.toThrow(/nothing is halted/);
});

test('a resume of the queue alone does not lift a halt', async () => {
  const lane = await openHttpLane(redis);
  await lane.halt.halt(BY_HAND);
  const id = await lane.add('Say hello');
  await lane.queue.resume();
  await waitUntil(() => lane.queue.isPaused(), { what: 'the pause again' });
  await lane.until(id, 'waiting');
  expect(lane.simulator.requests()).toEqual([]);
  await lane.halt.resume();
  await lane.until(id, 'completed');
});

test('a process that learns of a halt after it was lifted leaves nothing paused', async () => {
  const lane = await openHttpLane(redis);
  await lane.halt.enforce(); // it had the halt from its last question to Redis
  expect(await lane.queue.isPaused()).toBe(false);
  await lane.until(await lane.add('Say hello'), 'completed');
});

test('a halt that another program states is obeyed', async () => {
  const lane = await openHttpLane(redis);
  await redis.redis.set(redis.keys.haltReason, 'the auditors are here');
  const id = await lane.add('Say hello');
  await waitUntil(() => lane.queue.isPaused(), { what: 'the pause' });
  await lane.until(id, 'waiting');
  expect(await lane.halt.read()).toMatchObject({ reason: 'unknown', detail: 'the auditors are here' });
  await lane.halt.resume();
  await lane.until(id, 'completed');
});

test('a worker that starts during a halt stands still', async () => {
  const lane = await openHttpLane(redis, { workers: 0 });
  await lane.halt.halt(BY_HAND);
  const id = await lane.add('Say hello');
  await lane.startWorker();
  await lane.until(id, 'waiting');
  expect(lane.simulator.requests()).toEqual([]);
  await lane.halt.resume();
  await lane.until(id, 'completed');
});

test('halts when Redis has used four fifths of its memory, and says the figures', async () => {
  const lane = await openHttpLane(redis, { workers: 0 });
  const connection = redis.redis;
  expect(await checkMemory(connection, lane.halt, 'w')).toBeNull(); // no limit, nothing to watch
  const used = Number(/used_memory:(\d+)/.exec(await connection.info('memory'))?.[1]);
  redis.cleanup(() => connection.config('SET', 'maxmemory', '0'));

  await connection.config('SET', 'maxmemory', String(used * 4));
  expect(await checkMemory(connection, lane.halt, 'w')).toBeLessThan(0.8);
  expect(await lane.halt.read()).toBeNull();

  await connection.config('SET', 'maxmemory', String(Math.floor(used * 1.1)));
  expect(await checkMemory(connection, lane.halt, 'w')).toBeGreaterThan(0.8);
  const halt = await lane.halt.read();
  expect(halt).toMatchObject({ reason: 'redis-memory', by: 'w' });
  expect(halt?.detail).toMatch(/^Redis uses \d+\.\d of \d+\.\d MB \(\d\d %\)/);
});

test('workers watch Redis’ memory by themselves', async () => {
  const lane = await openHttpLane(redis, { workers: 2 });
  const used = Number(/used_memory:(\d+)/.exec(await redis.redis.info('memory'))?.[1]);
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', String(Math.floor(used * 1.15)));
  await waitUntil(() => lane.halt.read(), { what: 'the halt' });
  expect(await lane.halt.read()).toMatchObject({ reason: 'redis-memory' });
});
