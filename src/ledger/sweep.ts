import { queueRegistry } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';
import { parseReservation } from './reservation.ts';
import { scanHash } from './scan-hash.ts';

/** How much older than the longest call a lost one is: a process that froze, or waits for Redis, may still book it. */
const LATER_MS = 10 * 60_000;
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
  for await (const [id, packed] of scanHash(redis, keys.reservations)) {
    const { jobId, reservedAt } = parseReservation(id, packed);
    if (reservedAt >= before) continue;
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
  return swept;
}
