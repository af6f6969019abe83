import type { QueueName } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** The reason of a job that a person cancelled. BullMQ keeps it with the failed ones, because a person may run it after all. */
export const CANCELLED = 'cancelled';

/**
 * Whether a job was cancelled, and has not failed: all code that counts or lists what failed asks here.
 * @param reason a reason, or `reason: text`, as BullMQ keeps it
 */
export function isCancelled(reason: string): boolean {
  return reason === CANCELLED || reason.startsWith(`${CANCELLED}:`);
}

/** How many of the jobs of a set are cancelled. @param failed key of a set of ids of failed jobs of the queue */
export async function countCancelled({ keys, scripts }: Db, queue: QueueName, failed: string): Promise<number> {
  return scripts['count-cancelled']({ failed, cancelledEnds: keys.cancelledEnds(queue) }, []);
}

/** Forgets that a job was cancelled, because it runs again. */
export async function forgetCancelled({ redis, keys }: Db, queue: string, jobId: string): Promise<void> {
  await redis.zrem(keys.cancelledEnds(queue), jobId);
}
