import type { Logger } from './logger.ts';
import { startOf } from '../text/start-of.ts';

const REPEAT_AFTER_MS = 60_000;

/** Returns a function that logs an error as a warning, each text at most once a minute: an outage repeats the same error. */
export function createThrottledWarning(log: Pick<Logger, 'warn'>, message: string): (error: Error) => void {
  const loggedAt = new Map<string, number>();
  return (error) => {
    const now = Date.now();
    const reason = startOf(error.message, 300);
    if (now - (loggedAt.get(reason) ?? 0) < REPEAT_AFTER_MS) return;
    if (loggedAt.size > 100) loggedAt.clear(); // texts with ids in them
    loggedAt.set(reason, now);
    log.warn({ reason }, message);
  };
}
