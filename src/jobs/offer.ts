import type { TASK_FOR } from '../../queues/kinds.ts';
import type { Db } from '../redis/db.ts';

/** Outside workers alone may take a task for `any` for so long. */
const OUTSIDE_FIRST_MS = 30_000;
/** A task for outside workers is delayed this long: no clock brings it to the fleet's workers first. */
export const UNTIL_CLAIMED_MS = 10 * 365 * 24 * 3600_000;

export type TaskFor = (typeof TASK_FOR)[number];

/** Who may take a task. Another version or program may have stored anything: it counts as the fleet's. */
export function toTaskFor(data: unknown): TaskFor {
  const wanted: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'for') : undefined;
  return wanted === 'outside' || wanted === 'any' ? wanted : 'fleet';
}

/** BullMQ's option with which a task is added, so that outside workers are first; BullMQ itself ends the wait. */
export function toOfferDelay(data: unknown): { delay?: number } {
  switch (toTaskFor(data)) {
    case 'fleet':
      return {};
    case 'any':
      return { delay: OUTSIDE_FIRST_MS };
    case 'outside':
      return { delay: UNTIL_CLAIMED_MS };
  }
}

/**
 * Offers those of the tasks that outside workers may take. Call it before they are added, or put back to waiting: a crash in
 * between leaves an entry without a job, which the sweep forgets.
 */
export async function offerTasks(
  { redis, keys, clock }: Db,
  tasks: readonly { id: string; data: unknown }[],
): Promise<void> {
  const offered = tasks.filter(({ data }) => toTaskFor(data) !== 'fleet');
  if (offered.length === 0) return;
  const now = clock.now();
  await redis.zadd(keys.offered, 'NX', ...offered.flatMap(({ id }) => [now, id]));
}

/** A worker of the fleet has begun the task: no outside worker is to take it out of a later wait. */
export async function withdrawOffer({ redis, keys }: Db, jobId: string): Promise<void> {
  await redis.zrem(keys.offered, jobId);
}
