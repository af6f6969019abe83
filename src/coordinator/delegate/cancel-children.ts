import { tasksQueue } from '../../../queues/tasks.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { cancelJobs } from '../../tasks/cancel.ts';
import { UsageError } from '../../errors.ts';
import { toDependenciesKey, type ChildParts } from '../mission/children.ts';

const PAGE = 500;

/**
 * Cancels what a cancelled mission still waits for, so that it ends too. What ends meanwhile needs no cancelling.
 * @returns how many were cancelled
 */
export async function cancelChildren(parts: ChildParts, missionId: string): Promise<number> {
  const { db, queues } = parts;
  const { redis, keys } = db;
  let cancelled = 0;
  let cursor = '0';
  do {
    const [next, children] = await redis.sscan(toDependenciesKey(keys, missionId), cursor, 'COUNT', PAGE);
    cursor = next;
    for (const key of children) {
      const [queue = tasksQueue.name, jobId = ''] = key.slice(keys.bullPrefix.length + 1).split(':');
      try {
        await cancelJobs(db, queues[queue as QueueName], [jobId]);
        cancelled += 1;
      } catch (error) {
        if (!(error instanceof UsageError)) throw error; // it has ended
      }
    }
  } while (cursor !== '0');
  return cancelled;
}
