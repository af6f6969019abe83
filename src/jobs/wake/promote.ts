import type { Job, Queue } from 'bullmq';

/** BullMQ's codes for a job that is not delayed, or does not exist. */
const NOT_DELAYED = new Set<unknown>([-3, -1]);

/**
 * Puts a delayed job back to waiting. BullMQ refuses that for a job that this call has moved already, whose answer was lost:
 * the state before decides.
 * @returns false if it was not delayed: another process did so, or a worker has it
 */
export async function promote(job: Pick<Job, 'promote' | 'isDelayed'>): Promise<boolean> {
  if (!(await job.isDelayed())) return false;
  await isDelayed(job.promote());
  return true;
}

/** The same without reading the job. */
export async function promoteById(queue: Queue, jobId: string): Promise<boolean> {
  return isDelayed(queue.backend.promote(jobId));
}

async function isDelayed(promoting: Promise<void>): Promise<boolean> {
  try {
    await promoting;
    return true;
  } catch (error) {
    if (NOT_DELAYED.has(Reflect.get(Object(error), 'code'))) return false;
    throw error;
  }
}
