import type { Db } from '../../src/redis/db.ts';
import type { Session } from './sessions.ts';

/** The sessions that a person has ended before their time. All dashboards of the swarm know them, also after a restart. */
export interface LoggedOut {
  /** While Redis is away, only those of this process are known: then no page has anything to show. */
  includes(session: Session): Promise<boolean>;
  /** @throws Error while Redis is away; this process knows it all the same, and stores it when Redis is back */
  add(session: Session): Promise<void>;
}

/** @param inTime rejects where Redis takes too long */
export function createLoggedOut(
  { redis, keys }: Db,
  inTime: <T>(work: Promise<T>) => Promise<T>,
  now: () => number = Date.now,
): LoggedOut {
  const unstored = new Map<string, Session>();
  const isAway = (): boolean => redis.status !== 'ready';

  async function store(session: Session): Promise<void> {
    const leftMs = Math.max(1, session.expiresAt - now());
    await inTime(redis.set(keys.endedSession(session.id), '1', 'PX', leftMs));
    unstored.delete(session.id);
  }

  return {
    async includes(session) {
      if (unstored.has(session.id)) {
        if (!isAway()) await store(session).catch(() => undefined); // the next request tries again
        return true;
      }
      if (isAway()) return false;
      for (const other of unstored.values()) await store(other).catch(() => undefined);
      const looked = inTime(redis.exists(keys.endedSession(session.id)));
      return (await looked.catch(() => 0)) === 1;
    },
    async add(session) {
      unstored.set(session.id, session);
      if (isAway()) throw new Error('Redis is away');
      await store(session);
    },
  };
}
