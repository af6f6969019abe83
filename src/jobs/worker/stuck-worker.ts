import type { Queue } from 'bullmq';
import type { Logger } from '../../process/logger.ts';

const LOOK_EVERY_MS = 15_000;
const STUCK_AFTER_MS = 60_000;

/**
 * Watches for a worker that no longer fetches although it could: a free slot, jobs waiting, nothing that holds the queue
 * back, and no job started for a minute. A worker whose slots are all busy for hours is left alone.
 * @returns stops the watch
 */
export function watchStuckWorker(options: {
  queue: Queue;
  isFree: () => boolean;
  lastStartAt: () => number;
  isHeldBack: () => Promise<boolean>;
  onStuck: () => void;
  log: Logger;
  /** Default 15 s. */
  lookEveryMs?: number;
  /** Default 60 s. */
  stuckAfterMs?: number;
}): () => void {
  const { queue, isFree, lastStartAt, isHeldBack, onStuck, log } = options;
  const { lookEveryMs = LOOK_EVERY_MS, stuckAfterMs = STUCK_AFTER_MS } = options;
  let waitingSince: number | null = null;

  async function look(): Promise<void> {
    const waits = isFree() && (await queue.getWaitingCount()) > 0;
    const heldBack = waits && ((await queue.isPaused()) || (await queue.getRateLimitTtl()) > 0 || (await isHeldBack()));
    if (!waits || heldBack) {
      waitingSince = null;
      return;
    }
    waitingSince ??= performance.now();
    if (performance.now() - Math.max(waitingSince, lastStartAt()) < stuckAfterMs) return;
    clearInterval(timer);
    onStuck();
  }

  const timer = setInterval(() => {
    look().catch((error: unknown) => log.debug({ error }, 'could not look at the queue'));
  }, lookEveryMs);
  return () => clearInterval(timer);
}
