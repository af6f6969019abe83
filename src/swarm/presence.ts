import type { Logger } from '../process/logger.ts';
import { repeat } from '../process/repeat.ts';
import type { Db } from '../redis/db.ts';
import { readWorkers } from './heartbeat.ts';
import { noteHostClock } from './host-clocks.ts';
import type { ProcessKind } from './types.ts';
import type { WorkerName } from './worker-name.ts';

const REFRESH_MS = 30_000;
/** A librarian or coordinator whose last sign of life is older is gone. */
export const GONE_AFTER_MS = 75_000;

/** Whether at least one process of this kind is up: the one definition for status, warnings and missions. */
export async function isAnyoneUp(db: Db, kind: ProcessKind): Promise<boolean> {
  if (kind === 'haiku') return (await readWorkers(db)).length > 0;
  return hasAttendant(await readAttendants(db), kind);
}

/** Ids of the live librarians and coordinators. Haiku workers have a heartbeat of their own (`readWorkers`). */
export async function readAttendants({ redis, keys, clock }: Db): Promise<string[]> {
  return parseAttendants(await redis.hgetall(keys.attendants), clock.now());
}

/** As `readAttendants`, of what `keys.attendants` holds: instants, ms since 1970, by id. */
export function parseAttendants(records: Record<string, string>, nowMs: number): string[] {
  return Object.keys(records).filter((id) => nowMs - Number(records[id]) < GONE_AFTER_MS);
}

/** @param attendants ids, which begin with the kind (`takeWorkerName`) */
export function hasAttendant(attendants: readonly string[], kind: Exclude<ProcessKind, 'haiku'>): boolean {
  return attendants.some((id) => id.startsWith(`${kind}_`));
}

/**
 * Keeps the name of a librarian or coordinator taken, and its sign of life in `keys.attendants` current.
 * @returns ends the presence: removes the sign of life and gives the name back
 */
export async function keepPresence(parts: { db: Db; name: WorkerName; log: Logger }): Promise<() => Promise<void>> {
  const { name, log } = parts;
  const { redis, keys, clock } = parts.db;
  const refresh = async (): Promise<void> => {
    await name.hold();
    await redis.hset(keys.attendants, name.id, clock.now());
    await noteHostClock(parts.db);
  };
  await refresh();
  const stop = repeat({ everyMs: REFRESH_MS, what: 'giving a sign of life', log }, refresh);
  return async () => {
    void stop(); // a sign that is under way may wait for a full Redis
    await redis.hdel(keys.attendants, name.id);
    await name.release();
  };
}
