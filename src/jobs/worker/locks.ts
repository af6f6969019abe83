import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';

/** A lock lives this long; a job whose lock ran out goes on elsewhere. Also spelled in `scripts/lib/lock.lua`. */
export const LOCK_MS = 10_000;
const RENEW_EVERY_MS = 2_500;

export interface HeldJob {
  jobId: string;
  token: string;
}

/**
 * Renews the locks of running jobs. BullMQ's own renewal knows jobs by their id only: when a process that stood still
 * gets its own job a second time, it stops renewing for the new run as soon as the old one ends. And it gives up a lock
 * that ran out while Redis was away, although nobody else has the job.
 * @param options.onLost called once for each job that another worker has, or that is no longer active
 * @returns stops the renewal
 */
export function keepLocks<Held extends HeldJob>(options: {
  db: Db;
  queue: string;
  workerId: string;
  held: () => Iterable<Held>;
  onLost: (job: Held) => void;
  log: Logger;
}): () => void {
  const { queue, workerId, held, onLost, log } = options;
  const { keys, scripts } = options.db;
  let busy = false; // a Redis that is away holds one renewal back, not a pile of them

  async function renew(): Promise<void> {
    const jobs = [...held()];
    if (jobs.length === 0 || busy) return;
    busy = true;
    try {
      const lost = await scripts['renew-locks'](
        [keys.queueKey(queue, 'stalled'), ...jobs.map((job) => keys.jobLock(queue, job.jobId))],
        [workerId, LOCK_MS, ...jobs.flatMap((job) => [job.token, job.jobId])],
      );
      for (const place of lost as number[]) {
        const job = jobs[place - 1];
        if (job !== undefined) onLost(job);
      }
    } finally {
      busy = false;
    }
  }

  const timer = setInterval(() => {
    renew().catch((error: unknown) => log.warn({ error }, 'locks not renewed'));
  }, RENEW_EVERY_MS);
  return () => clearInterval(timer);
}
