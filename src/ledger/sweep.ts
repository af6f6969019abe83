import type { Redis } from 'ioredis';
import { queueRegistry } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** No call is given longer than `FLEET_CALL_TIMEOUT_MS`; twice that, and never less than this. */
const SHORTEST_AGE_MS = 10 * 60_000;
/** A reply that comes later than this after its call is no longer waited for. */
const FORGET_UNCERTAIN_MS = 24 * 3600_000;
const KEEP_TURNS_SECONDS = 7 * 24 * 3600;

/** How old a reservation must be before its call is taken for lost, ms. */
export function toLostAfterMs(callTimeoutMs: number): number {
  return Math.max(SHORTEST_AGE_MS, 2 * callTimeoutMs);
}

/**
 * Books the calls as uncertain whose process died and whose job never runs again: cancelled, removed, or done in single
 * mode. A job that does run again finds its own lost call, and is not waited for here.
 * @returns how many
 */
export async function sweepReservations(db: Db, options: { olderThanMs: number; now: number }): Promise<number> {
  const { redis, keys, scripts } = db;
  const before = options.now - options.olderThanMs;
  let swept = 0;
  for await (const [id, packed] of scan(redis, keys.reservations)) {
    if (toInstant(packed) >= before) continue;
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
    if (toInstant(packed) < options.now - FORGET_UNCERTAIN_MS) await redis.hdel(keys.uncertain, id);
  }
  return swept;
}

async function* scan(redis: Redis, key: string): AsyncGenerator<[field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(key, cursor, 'COUNT', 500);
    cursor = next;
    for (let at = 0; at < found.length; at += 2) yield [found[at] ?? '', found[at + 1] ?? ''];
  } while (cursor !== '0');
}

/** `worst|made at|scope…` */
function toInstant(packed: string): number {
  return Number(packed.split('|')[1] ?? 0);
}

/** `job#epoch:turn#worker#instant.nonce`; only the job's own id may hold a `#`. */
function toJobId(reservation: string): string {
  return reservation.split('#').slice(0, -3).join('#');
}
