import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toMessage } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { redisAddress } from '../src/config/redis-url.ts';

const RETRY_MS = 1_000;
const LOG_EVERY_TRIES = 60;

/**
 * Tries to connect every second until it succeeds. Commands on the connection fail at once while Redis is away.
 * @param parts.onProblem called with the sentence for each try that failed
 * @returns null if the signal fired first
 */
export async function connectWithRetry(
  url: string,
  parts: { log: Logger; signal: AbortSignal; secrets: readonly string[]; onProblem: (problem: string) => void },
): Promise<Redis | null> {
  const { log, signal, secrets, onProblem } = parts;
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return await connectRedis(url, { role: 'producer', log, name: 'fleet-dashboard', secrets });
    } catch (error) {
      onProblem(toMessage(error));
      if (tries % LOG_EVERY_TRIES === 0)
        log.warn({ redis: redisAddress(url), error }, 'Redis is not reachable; waiting for it');
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}
