import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '../redis/connect.ts';

/** Names of the workers' connections. */
const WORKERS = /\bname=fleet-(?:haiku|librarian|coordinator)\b/;
const LOOK_EVERY_MS = 200;

/**
 * Resolves when no worker is connected to this Redis any more, or after `mostMs`, longer while calls are under way. Where all
 * processes end at once (`pm2 kill`, a machine that shuts down), the workers still store their last replies.
 * @param calling.reservations key of the calls under way
 */
export async function waitForWorkers(
  url: string,
  mostMs: number,
  calling: { mostMs: number; reservations: string },
): Promise<void> {
  const startedAt = Date.now();
  const redis = await connectRedis(url, { role: 'producer', name: 'fleet-redis' });
  const mayWait = async (): Promise<boolean> => {
    const waitedMs = Date.now() - startedAt;
    if (waitedMs < mostMs) return true;
    return waitedMs < calling.mostMs && (await redis.hlen(calling.reservations)) > 0;
  };
  try {
    while ((await mayWait()) && WORKERS.test(String(await redis.client('LIST')))) await sleep(LOOK_EVERY_MS);
  } finally {
    redis.disconnect();
  }
}
