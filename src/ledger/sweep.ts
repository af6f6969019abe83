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
export async function sweepReservations(db: Db, { olderThanMs }: { olderThanMs: number }): Promise<number> {
  const { redis, keys, scripts, clock } = db;
  let swept = 0;
  for await (const [id, packed] of scanHash(redis, keys.reservations)) {
    const { jobId, reservedAt } = parseReservation(id, packed);
    if (reservedAt >= clock.now() - olderThanMs) continue;
    swept += await scripts['sweep-reservation'](
      {
        turns: keys.turns(jobId),
        reservations: keys.reservations,
        counters: keys.counters,
        jobs: Object.keys(queueRegistry).map((queue) => keys.queueKey(queue, jobId)),
      },
      [id, olderThanMs, KEEP_TURNS_SECONDS],
    );
  }
  await closeFreeCalls(db);
  return swept;
}

/** Closes the uncertain calls that can cost nothing: older versions kept them, too, until a person settled them. */
async function closeFreeCalls({ redis, keys, scripts }: Db): Promise<void> {
  for await (const [id, packed] of scanHash(redis, keys.uncertain)) {
    const { jobId, reported } = parseReservation(id, packed);
    if (!packed.startsWith('0|') || reported !== null) continue;
    const { reservations, counters, metrics } = keys;
    const named = { turns: keys.turns(jobId), reservations, counters, metrics };
    await scripts['close-reservation'](named, [id, 'release']);
  }
}
