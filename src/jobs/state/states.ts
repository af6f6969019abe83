import type { Db } from '../../redis/db.ts';

/** Where a job is. `unknown`: there is no such job. */
export type KnownState = 'completed' | 'failed' | 'delayed' | 'active' | 'waiting' | 'unknown';

/**
 * States of many jobs in one round trip. BullMQ's own `getJobState` walks the whole waiting list for each job that waits
 * (LPOS); here every look is O(1) or O(log n), so that a million waiting jobs can be asked for.
 * A job whose worker died counts as waiting: another is about to take it.
 */
export async function readStates({ redis, keys }: Db, queue: string, ids: string[]): Promise<KnownState[]> {
  if (ids.length === 0) return [];
  const [completed, failed, delayed] = ['completed', 'failed', 'delayed'].map((set) => keys.queueKey(queue, set));
  const chain = redis.pipeline();
  for (const id of ids) {
    // In the order a job goes through them: one that moves on meanwhile is found at its next place.
    chain
      .zscore(delayed ?? '', id)
      .exists(keys.jobLock(queue, id))
      .zscore(completed ?? '', id)
      .zscore(failed ?? '', id)
      .exists(keys.queueKey(queue, id));
  }
  const replies = (await chain.exec()) ?? [];
  return ids.map((_, at) => {
    const [isDelayed, isLocked, isCompleted, isFailed, isThere] = replies
      .slice(5 * at, 5 * at + 5)
      .map(([error, reply]) => {
        if (error) throw error;
        return reply;
      });
    if (isThere !== 1) return 'unknown';
    if (isCompleted !== null) return 'completed';
    if (isFailed !== null) return 'failed';
    if (isDelayed !== null) return 'delayed';
    return isLocked === 1 ? 'active' : 'waiting';
  });
}
