import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';

/** Life of a job's lock. If it expires, another worker takes the job. Also written in `scripts/lib/lock.lua`. */
export const LOCK_MS = 10_000;
const RENEW_EVERY_MS = 2_500;

export interface HeldJob {
  jobId: string;
  token: string;
}

/**
 * Renews the locks of running jobs. BullMQ's own renewal identifies a job by its id alone: if a process freezes, loses its job
 * and gets it again, the end of the old run stops the renewal for the new one. It also gives up a lock that expired while
 * Redis was away, although no other worker has the job.
 * @param options.onLost called once for each job that another worker has, or that is no longer active
 * @returns stops the renewal
 */
export function startLockRenewal<Held extends HeldJob>(options: {
  db: Db;
  queue: string;
  workerId: string;
  held: () => Iterable<Held>;
  onLost: (job: Held) => void;
  log: Logger;
}): () => void {
  const { queue, workerId, held, onLost, log } = options;
  const { keys, scripts } = options.db;
  let busy = false; // never runs twice at once, also while Redis is away

  async function renew(): Promise<void> {
    const jobs = [...held()];
    if (jobs.length === 0 || busy) return;
    busy = true;
    try {
      const lost = await scripts['renew-locks'](
        { stalled: keys.queueKey(queue, 'stalled'), locks: jobs.map((job) => keys.jobLock(queue, job.jobId)) },
        [workerId, LOCK_MS, ...jobs.flatMap((job) => [job.token, job.jobId])],
      );
      for (const place of lost) {
        const job = jobs[place - 1]; // Lua counts from 1
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
