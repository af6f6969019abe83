import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Db } from '../../../src/redis/db.ts';
import { keepRecord } from '../../../src/swarm/damage/kept-records.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A Redis that has forgotten all it is asked for. `ping`: resolves when it answers. */
function createRedis(ping: () => Promise<unknown>) {
  const chain = { exists: () => chain, exec: async () => [[null, 0]] };
  return Object.assign(new EventEmitter(), { status: 'ready', ping, pipeline: () => chain });
}

async function keepOne(redis: object): Promise<() => number> {
  let runs = 0;
  const counters = { 'count-event': async () => undefined };
  const db = { redis, keys: {}, scripts: counters } as unknown as Db;
  await keepRecord(db, { key: 'finding:1', text: 'tea', token: 'x' }, async () => {
    runs += 1;
    return 'recorded';
  });
  return () => runs;
}

it('stores a finding of the last seconds again, and no older one, also in a process that stores nothing more', async () => {
  const redis = createRedis(async () => 'PONG');
  const runs = await keepOne(redis);
  await vi.advanceTimersByTimeAsync(3_000);
  redis.emit('ready');
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(2);
  await vi.advanceTimersByTimeAsync(20_000);
  redis.emit('ready');
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(2);
});

it('keeps a finding while Redis does not answer', async () => {
  const redis = createRedis(() => new Promise(() => undefined));
  const runs = await keepOne(redis);
  await vi.advanceTimersByTimeAsync(60_000);
  redis.emit('ready');
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(2);
});
