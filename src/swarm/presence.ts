import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import type { WorkerName } from './worker-name.ts';

const EVERY_MS = 30_000;
/** A librarian or coordinator not heard of for so long is gone. */
export const ALIVE_FOR_MS = 75_000;

/**
 * Keeps a librarian's or coordinator's name, and says that it is up: what waits for nobody shows in the status. Haiku
 * workers have their own heartbeat.
 * @returns gives both back
 */
export async function showAlive(parts: { db: Db; name: WorkerName; log: Logger }): Promise<() => Promise<void>> {
  const { name, log } = parts;
  const { redis, keys } = parts.db;
  const say = async (): Promise<void> => {
    await name.hold();
    await redis.hset(keys.attendants, name.id, Date.now());
  };
  await say();
  const timer = setInterval(() => {
    say().catch((error: unknown) => log.warn({ error }, 'no sign of life given'));
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await redis.hdel(keys.attendants, name.id);
    await name.release();
  };
}
