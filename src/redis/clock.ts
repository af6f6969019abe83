import type { Redis } from 'ioredis';

/**
 * Time by the clock of a Redis. All processes of a swarm share it; the hosts' own clocks differ, and are set during a run.
 * What a script decides, it decides by `TIME`.
 */
export interface RedisClock {
  /** ms since 1970, a whole number: the last answer of Redis and the time since. Before the first answer: the host's clock. */
  now(): number;
  /** `now` as a date. */
  date(): Date;
  /** How far this host's clock was ahead of Redis' at the last answer, ms. Null before the first one. */
  skewMs(): number | null;
  /** Asks Redis. `now` asks by itself from time to time. @throws what the connection throws */
  sync(): Promise<void>;
}

/** What Redis answered last. */
interface Answer {
  redisMs: number;
  /** The host's clock at the same moment, ms since 1970. */
  hostMs: number;
  /** `performance.now()` at the same moment. */
  monotonicMs: number;
}

const ASK_AGAIN_MS = 10_000;
/** The host's clock was set, or the machine slept, if its clock and its monotonic time differ by more. */
const JUMP_MS = 500;
/** A slower answer waited for a connection or for this process: it does not tell the moment well. */
const SLOW_MS = 1_000;
const MOST_TRIES = 3;

const clocks = new WeakMap<Redis, RedisClock>();

/** Returns the clock of a connection: the same one each time. Sends nothing. */
export function clockOf(redis: Redis): RedisClock {
  const known = clocks.get(redis);
  if (known !== undefined) return known;
  const clock = createClock(redis);
  clocks.set(redis, clock);
  return clock;
}

function createClock(redis: Redis): RedisClock {
  let last: Answer | null = null;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    let best: { answer: Answer; tookMs: number } | null = null;
    for (let tries = 0; tries < MOST_TRIES && (best === null || best.tookMs > SLOW_MS); tries += 1) {
      const one = await askOnce(redis);
      if (best === null || one.tookMs < best.tookMs) best = one;
    }
    last = best?.answer ?? last;
  }

  const sync = (): Promise<void> => (asking ??= ask().finally(() => (asking = null)));

  function now(): number {
    if (last === null) return Date.now();
    const sinceMs = performance.now() - last.monotonicMs;
    const jumpMs = Math.abs(Date.now() - last.hostMs - sinceMs);
    // Where Redis is away, its last answer still counts.
    if (asking === null && (sinceMs > ASK_AGAIN_MS || jumpMs > JUMP_MS)) sync().catch(() => undefined);
    return Math.round(last.redisMs + sinceMs);
  }

  return {
    now,
    date: () => new Date(now()),
    skewMs: () => (last === null ? null : Math.round(last.hostMs - last.redisMs)),
    sync,
  };
}

/** Redis answered at about the middle of the round trip. */
async function askOnce(redis: Redis): Promise<{ answer: Answer; tookMs: number }> {
  const sentAt = performance.now();
  const [seconds, micros] = await redis.time();
  const tookMs = performance.now() - sentAt;
  return {
    tookMs,
    answer: {
      redisMs: Number(seconds) * 1_000 + Number(micros) / 1_000,
      hostMs: Date.now() - tookMs / 2,
      monotonicMs: sentAt + tookMs / 2,
    },
  };
}
