import type { Queue } from 'bullmq';
import { QUERY_PREFIX } from '../../queues/ids.ts';
import type { QueueName } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** Like `queueOf`; a mission is known by being there, for its id may be any. */
export async function findQueueOf(
  { db: { redis, keys }, queues }: { db: Db; queues: Record<QueueName, Queue> },
  jobId: string,
): Promise<Queue> {
  const isMission = (await redis.exists(keys.queueKey(queues.missions.name, jobId))) === 1;
  return isMission ? queues.missions : queueOf(queues, jobId);
}

/** The queue a person means who names a job by its id alone. */
export function queueOf(queues: Record<QueueName, Queue>, jobId: string): Queue {
  return jobId.startsWith(QUERY_PREFIX) ? queues.archive : queues.tasks;
}
