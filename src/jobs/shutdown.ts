import type { Logger } from '../logger.ts';

/** What a second signal, or an impatient one, leaves for the clean-up. */
const HURRY_MS = 5_000;

/**
 * Runs `close` once on SIGTERM or SIGINT, then exits 0. A second signal leaves it 5 s; `graceMs` is the hard deadline in
 * any case (exit 1), because closing hangs while Redis is away.
 */
export function onShutdown(options: { log: Logger; graceMs: number }, close: (signal: string) => Promise<void>): void {
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
    close(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
}
