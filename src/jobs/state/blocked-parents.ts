import type { QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { BlockedParent } from './types.ts';

/** Oldest parents of a queue, and children of each, that are looked at: it bounds the size of a status. */
const MOST_PARENTS = 50;
const MOST_CHILDREN = 100;

/**
 * Finds the jobs of other programs' flows that can never run. BullMQ leaves a parent where it is when a child fails, unless the
 * child has an option that says otherwise, as the children of a mission do.
 */
export async function readBlockedParents(db: Db, queue: QueueName): Promise<BlockedParent[]> {
  const { redis, keys } = db;
  const ids = await redis.zrange(keys.queueKey(queue, 'waiting-children'), 0, String(MOST_PARENTS - 1));
  const found = await Promise.all(
    ids.map(async (id): Promise<BlockedParent | null> => {
      if (queue === 'missions' && (await redis.exists(keys.mission(id))) === 1) return null;
      const dependencies = keys.queueKey(queue, `${id}:dependencies`);
      const held = await redis.type(dependencies);
      if (!['set', 'none'].includes(held))
        return { queue, id, child: dependencies, why: `expected a set, got a ${held}` };
      const [, children] = await redis.sscan(dependencies, 0, 'COUNT', MOST_CHILDREN);
      for (const child of children.slice(0, MOST_CHILDREN)) {
        const type = await redis.type(child);
        if (!['hash', 'none'].includes(type)) return { queue, id, child, why: `expected a hash, got a ${type}` };
        const [timestamp, finishedOn, failedReason] = await redis.hmget(
          child,
          'timestamp',
          'finishedOn',
          'failedReason',
        );
        if (timestamp !== null && (finishedOn === null || typeof failedReason !== 'string')) continue;
        if ((await redis.sismember(dependencies, child)) === 0) continue; // it has just ended, and its parent continues
        return { queue, id, child, why: timestamp === null ? null : toOneLine(failedReason ?? '', 200) };
      }
      return null;
    }),
  );
  return found.filter((parent) => parent !== null);
}
