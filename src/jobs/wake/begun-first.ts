import type { Db } from '../../redis/db.ts';

/** How often `putBegunFirst` is to run. */
export const BEGUN_FIRST_EVERY_MS = 1_000;

/** Notes that a task is delayed, if it has begun: its calls so far are paid, and it must not queue behind fresh tasks. */
export async function noteBegunDelay({ redis, keys }: Db, jobId: string, dueAt: number): Promise<void> {
  if ((await redis.hexists(keys.turns(jobId), 'totals')) === 1) await redis.zadd(keys.begunDelayed, dueAt, jobId);
}

/** Moves the begun tasks whose delay is over to the front of the queue. @returns how many were moved */
export async function putBegunFirst({ keys, scripts }: Db): Promise<number> {
  const { begunDelayed } = keys;
  const named = { begunDelayed, delayed: keys.queueKey('tasks', 'delayed'), wait: keys.queueKey('tasks', 'wait') };
  return scripts['begun-first'](named, []);
}
