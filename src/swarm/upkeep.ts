import type { Redis } from 'ioredis';
import type { Logger } from '../process/logger.ts';

/**
 * Does some upkeep again and again, in one process of the fleet at a time: whoever comes first after each interval does
 * it. A process that dies in between costs one interval.
 * @param options.key a string key that holds the turn
 * @returns stops it, after what is under way
 */
export function oncePerFleet(
  options: { redis: Redis; key: string; everyMs: number; what: string; log: Logger },
  work: () => Promise<unknown>,
): () => Promise<void> {
  const { redis, key, everyMs, what, log } = options;
  let underWay: Promise<void> | null = null;

  async function tick(): Promise<void> {
    try {
      const mine = await redis.set(key, String(process.pid), 'PX', Math.max(1, everyMs - 50), 'NX'); // free again when the next timer fires
      if (mine !== null) await work();
    } catch (error) {
      log.warn({ error }, `${what} failed; it is tried again`);
    }
  }

  const timer = setInterval(() => {
    underWay ??= tick().finally(() => (underWay = null)); // a Redis that is away holds one up, not a pile of them
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
