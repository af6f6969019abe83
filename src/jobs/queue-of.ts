import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';

/** Ids of queries and of their answers begin with this, and no other does. */
export const QUERY_PREFIX = 'archive_';

/** The queue a person means who names a job by its id alone. */
export function queueOf(queues: Record<QueueName, Queue>, jobId: string): Queue {
  return jobId.startsWith(QUERY_PREFIX) ? queues.archive : queues.tasks;
}
