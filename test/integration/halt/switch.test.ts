import { expect, test } from 'vitest';
import { checkMemory } from '../../../src/halt/memory.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const BY_HAND = { reason: 'person', step: 'by hand', by: 'ada@box', detail: 'a look around' };

test('a halt lets running calls end and be stored, puts their jobs back, and starts nothing more', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 3, simulator: { latencyMs: 400 } });
  const ids = await Promise.all(Array.from({ length: 10 }, (_, i) => fleet.add(`Say ${i} [[turns:3]]`)));
  await waitUntil(() => fleet.simulator.requests().length > 2, { what: 'calls under way' });

  expect(await fleet.halt.halt(BY_HAND)).toBe(true);
  expect(await fleet.halt.halt({ ...BY_HAND, reason: 'another' })).toBe(false);
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'a fleet that stands still' });

  const records = fleet.simulator.requests();
  expect(records.length).toBeLessThan(30);
  expect(records.every((record) => record.served && !record.clientGone)).toBe(true);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: records.length, uncertainCalls: 0, reserved: 0 });
  const waiting = ids.length - (await fleet.queue.getCompletedCount());
  expect(await fleet.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting, failed: 0 });
  expect(await fleet.halt.read()).toMatchObject(BY_HAND);

  await fleet.halt.resume();
  for (const id of ids) await fleet.until(id, 'completed', 30_000);
  expect(fleet.simulator.requests()).toHaveLength(30); // no call was made twice
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 30, uncertainCalls: 0 });
});

test('lifting a halt resumes what it paused, not what a person paused', async () => {
  const fleet = await useSimulatedFleet(redis);
  const { missions, tasks } = fleet.inner.queues;
  await missions.pause();
  await fleet.halt.halt(BY_HAND);
  expect(await tasks.isPaused()).toBe(true);
  await fleet.halt.resume();
  expect(await tasks.isPaused()).toBe(false);
  expect(await missions.isPaused()).toBe(true);
  await expect(fleet.halt.resume()).rejects.toThrow(/nothing is halted/);
});

test('a resume of the queue alone does not lift a halt', async () => {
  const fleet = await useSimulatedFleet(redis);
  await fleet.halt.halt(BY_HAND);
  const id = await fleet.add('Say hello');
  await fleet.queue.resume();
  await waitUntil(() => fleet.queue.isPaused(), { what: 'the pause again' });
  await fleet.until(id, 'waiting');
  expect(fleet.simulator.requests()).toEqual([]);
  await fleet.halt.resume();
  await fleet.until(id, 'completed');
});

test('a process that learns of a halt after it was lifted leaves nothing paused', async () => {
  const fleet = await useSimulatedFleet(redis);
  await fleet.halt.enforce(); // it read the halt with its last command
  expect(await fleet.queue.isPaused()).toBe(false);
  await fleet.until(await fleet.add('Say hello'), 'completed');
});

test('a halt that another program states is obeyed', async () => {
  const fleet = await useSimulatedFleet(redis);
  await redis.redis.set(redis.keys.haltReason, 'the auditors are here');
  const id = await fleet.add('Say hello');
  await waitUntil(() => fleet.queue.isPaused(), { what: 'the pause' });
  await fleet.until(id, 'waiting');
  expect(await fleet.halt.read()).toMatchObject({ reason: 'unknown', detail: 'the auditors are here' });
  await fleet.halt.resume();
  await fleet.until(id, 'completed');
});

test('a worker that starts during a halt stands still', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  await fleet.halt.halt(BY_HAND);
  const id = await fleet.add('Say hello');
  await fleet.startHaiku('http');
  await fleet.until(id, 'waiting');
  expect(fleet.simulator.requests()).toEqual([]);
  await fleet.halt.resume();
  await fleet.until(id, 'completed');
});

test('halts when Redis has used four fifths of its memory, and says the figures', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const connection = redis.redis;
  expect(await checkMemory(connection, fleet.halt, 'w')).toBeNull(); // there is no limit
  const used = Number(/used_memory:(\d+)/.exec(await connection.info('memory'))?.[1]);
  redis.cleanup(() => connection.config('SET', 'maxmemory', '0'));

  await connection.config('SET', 'maxmemory', String(used * 4));
  expect(await checkMemory(connection, fleet.halt, 'w')).toBeLessThan(0.8);
  expect(await fleet.halt.read()).toBeNull();

  await connection.config('SET', 'maxmemory', String(Math.floor(used * 1.1)));
  expect(await checkMemory(connection, fleet.halt, 'w')).toBeGreaterThan(0.8);
  const halt = await fleet.halt.read();
  expect(halt).toMatchObject({ reason: 'redis-memory', by: 'w' });
  expect(halt?.detail).toMatch(/^Redis uses \d+\.\d of \d+\.\d MB \(\d\d %\)/);
});

test('workers watch Redis’ memory by themselves', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 2 });
  const used = Number(/used_memory:(\d+)/.exec(await redis.redis.info('memory'))?.[1]);
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
  await redis.redis.config('SET', 'maxmemory', String(Math.floor(used * 1.15)));
  await waitUntil(() => fleet.halt.read(), { what: 'the halt' });
  expect(await fleet.halt.read()).toMatchObject({ reason: 'redis-memory' });
});
