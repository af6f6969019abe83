import type { Logger } from './logger.ts';

const AGAIN_AFTER_MS = 60_000;

/** Logs each text at most once a minute: a Redis that refuses something refuses it a thousand times. */
export function createSeldomWarning(log: Pick<Logger, 'warn'>, message: string): (error: Error) => void {
  const saidAt = new Map<string, number>();
  return (error) => {
    const now = Date.now();
    const reason = error.message.slice(0, 300);
    if (now - (saidAt.get(reason) ?? 0) < AGAIN_AFTER_MS) return;
    if (saidAt.size > 100) saidAt.clear(); // texts with ids in them
    saidAt.set(reason, now);
    log.warn({ reason }, message);
  };
}
