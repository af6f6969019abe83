import type { Queue } from 'bullmq';
import { QUERY_PREFIX } from '../../queues/ids.ts';
import type { QueueName } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** Like `queueOfJob`, missions included: a mission's id may have any form, so Redis is asked whether it is one. */
export async function findQueueOfJob(
  { db: { redis, keys }, queues }: { db: Db; queues: Record<QueueName, Queue> },
  jobId: string,
): Promise<Queue> {
  const isMission = (await redis.exists(keys.queueKey(queues.missions.name, jobId))) === 1;
  return isMission ? queues.missions : queueOfJob(queues, jobId);
}

/** The queue of a task or query, by its id alone. */
export function queueOfJob(queues: Record<QueueName, Queue>, jobId: string): Queue {
  return jobId.startsWith(QUERY_PREFIX) ? queues.archive : queues.tasks;
}
