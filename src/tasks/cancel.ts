import type { Queue } from 'bullmq';
import { NotFoundError, UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { promote } from '../jobs/outcomes/parked.ts';
import { readJobs } from '../jobs/state/states.ts';

/** Marks older than this belong to jobs that no longer exist. */
const KEEP_MS = 30 * 24 * 3600 * 1000;

/**
 * Cancels jobs in any open state: stores a mark, then sends a message to the workers. A running job ends at once, a waiting
 * one as soon as a worker takes it, without a call; both fail as `cancelled`.
 * @throws UsageError for a job that does not exist or has already ended
 */
export async function cancelJobs(db: Db, queue: Queue, jobIds: string[]): Promise<void> {
  const { redis, keys } = db;
  const jobs = await readJobs(db, queue.name, jobIds);
  for (const [i, jobId] of jobIds.entries()) {
    const state = jobs[i]?.state ?? 'unknown';
    if (state === 'unknown') throw new NotFoundError(`job ${jobId}: no such job in queue ${queue.name}`);
    if (state === 'completed' || state === 'failed')
      throw new UsageError(`job ${jobId}: already ${state}, nothing to cancel`);
  }
  const now = Date.now();
  await redis.zremrangebyscore(keys.cancelled, 0, now - KEEP_MS);
  for (const jobId of jobIds) {
    await redis.zadd(keys.cancelled, now, jobId);
    await redis.hdel(keys.parked, jobId);
    await redis.publish(keys.control, JSON.stringify({ type: 'cancel', jobId }));
    const job = await queue.getJob(jobId);
    if (job !== undefined) await promote(job);
  }
}
