import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clockOf } from '../../../src/redis/clock.ts';

const REDIS_AT = Date.parse('2026-11-21T12:00:00Z');
const HOUR_MS = 3_600_000;

/** A Redis whose clock is right, and whose answers take so long. */
function createRedis(answersInMs: number[] = []): { redis: Redis; asked: () => number } {
  const startedAt = performance.now();
  let asked = 0;
  const time = async () => {
    const tookMs = answersInMs[asked] ?? 0;
    asked += 1;
    await vi.advanceTimersByTimeAsync(tookMs / 2);
    const ms = REDIS_AT + performance.now() - startedAt;
    await vi.advanceTimersByTimeAsync(tookMs / 2);
    return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000];
  };
  return { redis: { time } as unknown as Redis, asked: () => asked };
}

/** Sets the host's clock only: the monotonic time continues. */
function setHostClock(ms: number): void {
  const monotonicMs = performance.now();
  vi.setSystemTime(ms);
  expect(performance.now()).toBe(monotonicMs);
}

beforeEach(() => vi.useFakeTimers({ now: REDIS_AT + 2 * HOUR_MS, toFake: ['Date', 'performance', 'setTimeout'] }));
afterEach(() => vi.useRealTimers());

describe('the clock of a Redis', () => {
  it('is the host clock before Redis answered', () => {
    const clock = clockOf(createRedis().redis);
    expect([clock.now(), clock.skewMs()]).toEqual([REDIS_AT + 2 * HOUR_MS, null]);
  });

  it('is the clock of Redis afterwards, and tells how far the host is ahead', async () => {
    const clock = clockOf(createRedis([40]).redis);
    await clock.sync();
    expect([clock.now(), clock.skewMs()]).toEqual([REDIS_AT + 40, 2 * HOUR_MS]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(clock.date()).toEqual(new Date(REDIS_AT + 5_040));
  });

  it('does not follow a host clock that is set, and asks Redis again', async () => {
    const { redis, asked } = createRedis();
    const clock = clockOf(redis);
    await clock.sync();
    setHostClock(REDIS_AT - 26 * HOUR_MS);
    expect(clock.now()).toBe(REDIS_AT);
    await clock.sync();
    expect([clock.now(), clock.skewMs(), asked()]).toEqual([REDIS_AT, -26 * HOUR_MS, 2]);
  });

  it('asks Redis again some time after its last answer', async () => {
    const { redis, asked } = createRedis();
    const clock = clockOf(redis);
    await clock.sync();
    await vi.advanceTimersByTimeAsync(9_000);
    clock.now();
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    clock.now();
    expect(asked()).toBe(2);
  });

  it('does not trust an answer that waited for the connection', async () => {
    const { redis, asked } = createRedis([60_000, 20]);
    const clock = clockOf(redis);
    await clock.sync();
    expect([clock.now(), asked()]).toEqual([REDIS_AT + 60_020, 2]);
  });

  it('counts on while Redis is away', async () => {
    const { redis } = createRedis();
    const clock = clockOf(redis);
    await clock.sync();
    redis.time = async () => {
      throw new Error('Connection is closed.');
    };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(clock.now()).toBe(REDIS_AT + 60_000);
    await expect(clock.sync()).rejects.toThrow('closed');
  });

  it('belongs to the connection', () => {
    const { redis } = createRedis();
    expect(clockOf(redis)).toBe(clockOf(redis));
  });
});
