import type { Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';
import { putBegunFirst } from './begun-first.ts';
import { promoteById } from './promote.ts';

/** How often `wakeAllHelped` is to run. */
export const WAKE_HELPED_EVERY_MS = 1_000;
/** Most tasks that one look wakes. */
const MOST_WOKEN = 1_000;

/**
 * Puts a task whose question to its peers is answered to the front of the queue, if it is delayed for that. One that a worker has
 * at this moment looks at its question once it is delayed.
 * @returns false: it was not delayed
 */
export async function wakeHelped({ db, queue }: { db: Db; queue: Queue }, jobId: string): Promise<boolean> {
  const { redis, keys, clock } = db;
  if (!(await promoteById(queue, jobId))) return false;
  await redis.zadd(keys.begunDelayed, 'XX', clock.now(), jobId);
  await putBegunFirst(db);
  return true;
}

/**
 * Wakes the tasks whose question is answered and which are still delayed: the process that ended the assist task died before it
 * woke them.
 * @returns how many
 */
export async function wakeAllHelped(parts: { db: Db; queue: Queue }): Promise<number> {
  const { redis, keys } = parts.db;
  const members = await redis.zrange(keys.helped, '0', String(MOST_WOKEN - 1));
  let woken = 0;
  for (const member of members) {
    const jobId = member.slice(member.indexOf('|') + 1);
    const isWoken = await wakeHelped(parts, jobId);
    if (isWoken) woken += 1;
    // One that waits or runs keeps its mark: it may be about to be delayed.
    if (isWoken || (await hasEnded(parts, jobId))) await redis.zrem(keys.helped, member);
  }
  return woken;
}

async function hasEnded({ db: { redis, keys }, queue }: { db: Db; queue: Queue }, jobId: string): Promise<boolean> {
  const [addedAt, endedAt] = await redis.hmget(keys.queueKey(queue.name, jobId), 'timestamp', 'finishedOn');
  return addedAt === null || endedAt !== null;
}
