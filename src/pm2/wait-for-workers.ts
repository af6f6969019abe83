import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '../redis/connect.ts';

/** Names of the workers' connections. */
const WORKERS = /\bname=fleet-(?:haiku|librarian|coordinator)\b/;
const LOOK_EVERY_MS = 200;

/**
 * Resolves when no worker is connected to this Redis any more, or after `timeoutMs`. Where all processes end at once
 * (`pm2 kill`, a machine that shuts down), the workers still store their last replies.
 */
export async function waitForWorkers(url: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const redis = await connectRedis(url, { role: 'producer', name: 'fleet-redis' });
  try {
    while (Date.now() < deadline && WORKERS.test(String(await redis.client('LIST')))) await sleep(LOOK_EVERY_MS);
  } finally {
    redis.disconnect();
  }
}
