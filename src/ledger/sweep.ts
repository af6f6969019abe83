import type { Redis } from 'ioredis';
import { queueRegistry } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** How much older than the longest call a lost one is: a process that froze, or waits for Redis, may still book it. */
const LATER_MS = 10 * 60_000;
/** An uncertain call is forgotten this long after it was reserved; a later reply is not booked. */
const FORGET_UNCERTAIN_MS = 24 * 3600_000;
const KEEP_TURNS_SECONDS = 7 * 24 * 3600;

/** Returns the age, ms, at which a reservation's call counts as lost: ten minutes more than the longest call. */
export function toLostAfterMs(callTimeoutMs: number): number {
  return callTimeoutMs + LATER_MS;
}

/**
 * Books lost calls as uncertain: their process died, and their job will not run again because it was cancelled, was removed
 * or ran in single mode. A job that does run again settles its own lost call.
 * @returns how many calls
 */
export async function sweepReservations(db: Db, options: { olderThanMs: number; now: number }): Promise<number> {
  const { redis, keys, scripts } = db;
  const before = options.now - options.olderThanMs;
  let swept = 0;
  for await (const [id, packed] of scan(redis, keys.reservations)) {
    if (toReservedAt(packed) >= before) continue;
    const jobId = toJobId(id);
    swept += await scripts['sweep-reservation'](
      {
        turns: keys.turns(jobId),
        reservations: keys.reservations,
        counters: keys.counters,
        jobs: Object.keys(queueRegistry).map((queue) => keys.queueKey(queue, jobId)),
      },
      [id, before, KEEP_TURNS_SECONDS],
    );
  }
  for await (const [id, packed] of scan(redis, keys.uncertain)) {
    if (toReservedAt(packed) < options.now - FORGET_UNCERTAIN_MS) await redis.hdel(keys.uncertain, id);
  }
  return swept;
}

async function* scan(redis: Redis, key: string): AsyncGenerator<[field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(key, cursor, 'COUNT', 500);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) yield [found[i] ?? '', found[i + 1] ?? ''];
  } while (cursor !== '0');
}

/** Parses the instant, ms since 1970, of a stored reservation: `worst|reserved at|scope…`. */
function toReservedAt(packed: string): number {
  return Number(packed.split('|')[1] ?? 0);
}

/** Parses the job's id from a reservation's id: `job#epoch:turn#worker#instant.nonce`. Only the job's id may hold a `#`. */
function toJobId(reservation: string): string {
  return reservation.split('#').slice(0, -3).join('#');
}
