import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  log: Logger;
  graceMs: number;
  /** Whether Redis is away and nothing runs here: no reply that was paid for waits for a place. Asked while closing. */
  nothingToStore?: () => boolean;
}

/** What a second signal, or an impatient one, leaves for the clean-up. */
const HURRY_MS = 5_000;

/** Redis must have been away so long, seen so often, before a worker that does nothing leaves without its goodbyes. */
const AWAY_LOOKS = 4;
const LOOK_MS = 500;

/**
 * Runs `close` once on SIGTERM or SIGINT, then exits 0. A second signal leaves it 5 s; `graceMs` is the hard deadline in
 * any case (exit 1), because closing hangs while Redis is away. With `nothingToStore` true for two seconds it leaves then:
 * Redis may be gone for good, as when the whole machine goes down.
 */
export function onShutdown(options: ShutdownOptions, close: (signal: string) => Promise<void>): void {
  const { log, graceMs } = options;
  let deadline: NodeJS.Timeout | undefined;
  const exitBy = (ms: number, why: string): void => {
    clearTimeout(deadline);
    deadline = setTimeout(() => {
      log.error({ why }, 'not closed in time, leaving now; jobs go on elsewhere as stalled');
      process.exit(1);
    }, ms);
  };
  const begin = (signal: string): void => {
    if (deadline !== undefined) return exitBy(HURRY_MS, 'second signal');
    exitBy(graceMs, 'grace period over');
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
    let looks = 0;
    setInterval(() => {
      looks = options.nothingToStore?.() === true ? looks + 1 : 0;
      if (looks < AWAY_LOOKS) return;
      log.warn('Redis is away and nothing runs here: leaving at once; what was known of this process expires');
      process.exit(0);
    }, LOOK_MS).unref();
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
}
