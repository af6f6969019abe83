import type { Logger } from '../process/logger.ts';
import { repeat } from '../process/repeat.ts';
import type { Db } from '../redis/db.ts';
import { Lease } from '../redis/lease.ts';

/** Runs out before the next interval of the same process begins. */
const MARGIN_MS = 50;

/**
 * Repeats upkeep, in one process of the swarm at a time: in each interval, the process whose timer fires first takes the
 * lease and does the work. If that process dies, the swarm misses one interval.
 * @param options.name of the lease; `options.what`: named in the log when the work fails; `options.firstAfterMs`: before the first
 *   interval, ms, if not `everyMs`; `options.isNeeded`: asked first: an answer that costs less than to take the lease
 * @returns stops it, and waits for work that is under way
 */
export function startUpkeep(
  options: {
    db: Db;
    name: string;
    everyMs: number;
    firstAfterMs?: number;
    what: string;
    log: Logger;
    isNeeded?: () => Promise<boolean>;
  },
  work: () => Promise<unknown>,
): () => Promise<void> {
  const { db, name, everyMs, firstAfterMs = everyMs, what, log, isNeeded } = options;
  const lease = new Lease(db, db.keys.lease(name), { ttlMs: Math.max(1, everyMs - MARGIN_MS) });
  return repeat({ everyMs, firstAfterMs, what, log }, async () => {
    if (isNeeded !== undefined && !(await isNeeded())) return;
    if (await lease.take()) await work();
  });
}
