import type { Logger } from './logger.ts';

export interface RepeatOptions {
  everyMs: number;
  /** Default: `everyMs`. */
  firstAfterMs?: number;
  /** Named in the log when a run fails. */
  what: string;
  log: Pick<Logger, 'warn'>;
}

/**
 * Runs work at intervals, never twice at once: a run that takes longer than the interval uses up the next ones.
 * @returns stops it, and waits for a run that is under way
 */
export function repeat(options: RepeatOptions, work: () => Promise<unknown>): () => Promise<void> {
  const { everyMs, firstAfterMs = everyMs, what, log } = options;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.warn({ error }, `${what} failed; it is tried again`);
    }
  }

  function start(): void {
    running ??= run().finally(() => (running = null));
  }

  const first = setTimeout(() => {
    timer = setInterval(start, everyMs);
    start();
  }, firstAfterMs);
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}
