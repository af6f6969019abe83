import type { Db } from '../../redis/db.ts';
import { toMember, toReasonName, type NotedWait, type WakeReason } from './reason.ts';

/** Most jobs that are noted for one reason, those first whose time comes first. Any other job comes back at its time. */
const MOST_NOTED = 50_000;
const KEEP_MS = 2 * 24 * 3600_000;

/**
 * Notes what a delayed job waits for, so that it is woken when that is there. Call it after the job was delayed: a crash before
 * leaves a job that comes back at its time.
 * @param dueAt when the job comes back by itself, ms by Redis' clock
 */
export async function noteWait({ redis, keys }: Db, job: NotedWait, reason: WakeReason, dueAt: number): Promise<void> {
  const name = toReasonName(reason);
  const waits = keys.waitsFor(name);
  await redis
    .multi()
    .zadd(waits, dueAt, toMember(job))
    .zremrangebyrank(waits, MOST_NOTED, -1)
    .pexpireat(waits, dueAt + KEEP_MS)
    .zadd(keys.waits, 'GT', dueAt, name)
    .exec();
}
