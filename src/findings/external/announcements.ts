import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../process/logger.ts';
import { connectRedis } from '../../redis/connect.ts';
import type { Db } from '../../redis/db.ts';
import { adoptExternal } from './adopt.ts';

/** Announcements are gathered this long. A busy fleet announces thousands of its own findings a second. */
const GATHER_MS = 100;

export interface Announcements {
  /** Stops listening, and waits until what was announced is adopted. */
  close(): Promise<void>;
}

/**
 * Adopts findings when they are announced on `channel:findings`, over a connection of its own.
 * @param parts.onMissed called when announcements may have been missed, or could not be adopted
 */
export async function adoptAnnounced(parts: {
  db: Db;
  url: string;
  log: Logger;
  onMissed: () => void;
}): Promise<Announcements> {
  const { db, url, log, onMissed } = parts;
  const announced = new Set<string>();
  let adopting: Promise<void> | null = null;

  async function adoptGathered(): Promise<void> {
    while (announced.size > 0) {
      await sleep(GATHER_MS);
      const ids = [...announced];
      announced.clear();
      await adoptExternal(db, ids).catch((error: unknown) => {
        onMissed();
        log.warn({ error }, 'announced findings not adopted');
      });
    }
  }

  const subscriber = await connectRedis(url, { role: 'worker', log, name: 'fleet-foreign' });
  subscriber.on('message', (_channel, id: string) => {
    announced.add(id);
    adopting ??= adoptGathered().finally(() => (adopting = null));
  });
  subscriber.on('ready', onMissed); // after a reconnection
  await subscriber.subscribe(db.keys.channelFindings);
  return {
    async close() {
      subscriber.disconnect();
      await adopting;
    },
  };
}
