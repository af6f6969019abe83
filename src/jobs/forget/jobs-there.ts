import { queueRegistry } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';

const QUEUES = Object.keys(queueRegistry);

/** Returns which of these ids have a job, in any state, in some queue. */
export async function findJobs({ redis, keys }: Db, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const chain = redis.pipeline();
  for (const id of ids) for (const queue of QUEUES) chain.exists(keys.queueKey(queue, id));
  const replies = (await chain.exec()) ?? [];
  const there = (i: number): boolean =>
    QUEUES.some((_, q) => {
      const [error, reply] = replies[i * QUEUES.length + q] ?? [];
      if (error) throw error;
      return reply === 1;
    });
  return new Set(ids.filter((_, i) => there(i)));
}
