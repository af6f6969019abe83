import { LEAVE_MS } from './drain.ts';
import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  log: Logger;
  /** How long closing may take, ms; then calls are cut off. */
  graceMs: number;
  /** Ends the running calls at once. What they cost is booked, and their jobs are given back. */
  cutOff?: () => void;
  /** Whether Redis is away and no job runs here, so that no paid reply has to be stored. Called while closing. */
  nothingToStore?: () => boolean;
}

/** After so many checks in a row with Redis away, a worker without a job exits without closing. */
const AWAY_CHECKS = 4;
const CHECK_MS = 500;

/**
 * Runs `close` once on SIGTERM or SIGINT, then exits 0. After a second signal, and after `graceMs` in any case, running calls
 * are cut off, and closing has 5 s (then exit 1): it hangs while Redis is away. If `nothingToStore` is true for two seconds, the process exits
 * without waiting: Redis may never return, as when the whole machine shuts down.
 */
export function onShutdown(options: ShutdownOptions, close: (signal: string) => Promise<void>): void {
  const { log, graceMs } = options;
  let deadline: NodeJS.Timeout | undefined;
  const leaveBy = (why: string): void => {
    clearTimeout(deadline);
    if (options.cutOff !== undefined) {
      log.warn({ why }, 'running calls are cut off; the jobs’ logs say what they cost');
      options.cutOff();
    }
    deadline = setTimeout(() => {
      log.error({ why }, 'not closed in time, leaving now; jobs go on elsewhere as stalled');
      process.exit(1);
    }, LEAVE_MS);
  };
  const begin = (signal: string): void => {
    if (deadline !== undefined) return leaveBy('second signal');
    deadline = setTimeout(leaveBy, graceMs, 'grace period over');
    log.info({ signal }, 'closing: no new jobs, running turns end and are stored');
    leaveWithoutRedis();
    close(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  const leaveWithoutRedis = (): void => {
    let checks = 0;
    setInterval(() => {
      checks = options.nothingToStore?.() === true ? checks + 1 : 0;
      if (checks < AWAY_CHECKS) return;
      log.warn('Redis is away and nothing runs here: leaving at once; what was known of this process expires');
      process.exit(0);
    }, CHECK_MS).unref();
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
}
