import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '../redis/connect.ts';

/** Names that workers give their connections. */
const WORKERS = /\bname=fleet-(?:haiku|librarian|coordinator)\b/;
const LOOK_EVERY_MS = 200;

/**
 * Resolves once no worker is connected to this Redis any more, or after `patienceMs`. Where everything is ended at once
 * (`pm2 kill`, a machine going down), the workers' last words need a Redis that is still there.
 */
export async function outliveWorkers(url: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  const redis = await connectRedis(url, { role: 'producer', name: 'fleet-redis' });
  try {
    while (Date.now() < deadline && WORKERS.test(String(await redis.client('LIST')))) await sleep(LOOK_EVERY_MS);
  } finally {
    redis.disconnect();
  }
}
