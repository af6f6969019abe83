import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import type { Scripts } from '../redis/scripts.ts';

/** An own budget that parks jobs. */
export interface ParkedScope {
  scope: 'batch' | 'mission' | 'task';
  /** Name of the batch or mission, id of the task's job. */
  name: string;
}

/**
 * Puts the jobs that wait for this budget back to waiting; each asks its budget again before its next call.
 * @returns how many
 */
export async function releaseParked(
  parts: { redis: Redis; keys: Keys; scripts: Pick<Scripts, 'delete-if'>; queue: Queue },
  wanted: ParkedScope,
): Promise<number> {
  const { redis, keys, scripts, queue } = parts;
  let released = 0;
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(keys.parked, cursor, 'COUNT', 500);
    cursor = next;
    for (let at = 0; at < found.length; at += 2) {
      const jobId = found[at] ?? '';
      const mark = found[at + 1] ?? '';
      if (!isOf(mark, wanted)) continue;
      // The mark says that it is being released until the job is on its way: a crash in between leaves it findable, and
      // a job that is parked again at once has written a mark of its own, which stays.
      const releasing = JSON.stringify({ ...wanted, releasing: true });
      await redis.hset(keys.parked, jobId, releasing);
      const job = await queue.getJob(jobId);
      if (job !== undefined && (await job.isDelayed())) {
        await job.promote();
        released += 1;
      }
      await scripts['delete-if']([keys.parked], [jobId, releasing]);
    }
  } while (cursor !== '0');
  return released;
}

function isOf(mark: string, { scope, name }: ParkedScope): boolean {
  try {
    const parsed = JSON.parse(mark) as { scope?: unknown; name?: unknown };
    return parsed.scope === scope && parsed.name === name;
  } catch {
    return false;
  }
}
