import type { Queue } from 'bullmq';
import pMap from 'p-map';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { countEvent } from '../../swarm/count-event.ts';

/** Jobs of one read. */
const PAGE = 500;
/** Jobs removed at once. */
const CONCURRENCY = 25;

/**
 * Removes ended jobs that are older than their queue keeps them, and the oldest ones beyond its count. BullMQ itself removes
 * completed jobs only when another one completes, and failed jobs never: a person may still repair them, so each failed job that
 * goes is counted, and the log names how many.
 * @returns how many failed jobs went
 */
export async function dropEndedJobs(
  parts: { db: Db; queues: Record<QueueName, Queue>; log: Pick<Logger, 'warn'> },
  nowMs: number,
): Promise<number> {
  const { db, queues, log } = parts;
  let failed = 0;
  for (const [name, { keep }] of Object.entries(queueRegistry) as [QueueName, (typeof queueRegistry)[QueueName]][]) {
    await dropJobs(db, queues[name], 'completed', keep.completed, nowMs);
    const dropped = await dropJobs(db, queues[name], 'failed', keep.failed, nowMs);
    if (dropped === 0) continue;
    failed += dropped;
    await countEvent(db, 'old_failures_removed', dropped);
    const rule = { days: keep.failed.age / 86_400, most: keep.failed.count };
    log.warn({ queue: name, removed: dropped, ...rule }, 'failed jobs are removed: they are too old, or too many');
  }
  return failed;
}

/** As `dropEndedJobs`, for one queue and state. @param keep `age` in seconds and `count` in jobs, both at most. @returns how many */
export async function dropJobs(
  { redis, keys }: Db,
  queue: Queue,
  state: 'completed' | 'failed',
  { age, count }: { age: number; count: number },
  nowMs: number,
): Promise<number> {
  const set = keys.queueKey(queue.name, state);
  let dropped = 0;
  for (;;) {
    const over = (await redis.zcard(set)) - count;
    const old = await redis.zrangebyscore(set, '-inf', nowMs - age * 1_000, 'LIMIT', 0, PAGE);
    const ids = old.length > 0 || over <= 0 ? old : await redis.zrange(set, '0', String(Math.min(over, PAGE) - 1));
    if (ids.length === 0) return dropped;
    const removed = await pMap(
      ids,
      async (id) => {
        if ((await redis.zrem(set, id)) === 0) return 0; // a person has just retried it; after this step no one can
        return queue.remove(id, { removeChildren: false });
      },
      { concurrency: CONCURRENCY },
    );
    dropped += removed.filter((answer) => answer === 1).length;
  }
}
