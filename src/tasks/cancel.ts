import type { Queue } from 'bullmq';
import { NotFoundError, UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { noteActivity } from '../swarm/activity.ts';
import { describeMissing } from '../jobs/describe-missing.ts';
import { endCancelledOutside } from '../jobs/leased/end-cancelled.ts';
import { promote } from '../jobs/wake/promote.ts';
import { readJobs } from '../jobs/state/states.ts';

/** Marks older than this belong to jobs that no longer exist. */
const KEEP_MS = 30 * 24 * 3600 * 1000;

/**
 * Cancels jobs in any open state: stores a mark, then sends a message to the workers. A running job ends at once, a waiting
 * one as soon as a worker takes it, without a call; both fail as `cancelled`. One of outside workers ends at once.
 * @returns the state in which each was
 * @throws UsageError for a job that does not exist or has already ended
 */
export async function cancelJobs(db: Db, queue: Queue, jobIds: string[]): Promise<string[]> {
  const { redis, keys, clock } = db;
  const states = await assertOpen(db, queue, jobIds);
  const now = clock.now();
  await redis.zremrangebyscore(keys.cancelled, 0, now - KEEP_MS);
  for (const jobId of jobIds) {
    await redis.zadd(keys.cancelled, now, jobId);
    await redis.hdel(keys.parked, jobId);
    await noteActivity(db, { what: 'cancelled', id: jobId, text: 'by a person' });
    await redis.publish(keys.control, JSON.stringify({ type: 'cancel', jobId }));
    if ((await endCancelledOutside({ db, queue }, [jobId])).has(jobId)) continue;
    const job = await queue.getJob(jobId);
    if (job !== undefined) await promote(job);
  }
  return states;
}

/** @returns the state of each. @throws UsageError for a job that does not exist or has already ended */
export async function assertOpen(db: Db, queue: Queue, jobIds: readonly string[]): Promise<string[]> {
  const jobs = await readJobs(db, queue.name, jobIds);
  for (const [i, jobId] of jobIds.entries()) {
    const state = jobs[i]?.state ?? 'unknown';
    if (state === 'unknown') throw new NotFoundError(describeMissing(queue.name, jobId));
    if (state === 'completed' || state === 'failed')
      throw new UsageError(`job ${jobId}: already ${state}, nothing to cancel`);
  }
  return jobs.map(({ state }) => state);
}
