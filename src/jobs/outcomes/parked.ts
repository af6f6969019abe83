import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { queueOfJob } from '../queue-of-job.ts';
import type { Db } from '../../redis/db.ts';

/** What parked jobs wait for: an own budget, or a person who set their whole mission aside (`parked-mission`). */
export interface ParkedScope {
  scope: 'batch' | 'mission' | 'task' | 'parked-mission';
  /** Name of the batch or mission, id of the task's job. */
  name: string;
}

/** What stands beside a parked job's id. */
export function toParkedMark(wanted: ParkedScope, queue: string): string {
  return JSON.stringify({ ...wanted, queue });
}

/**
 * Puts the jobs of every queue that wait for this back to waiting; each asks its budget again before its next call.
 * @returns how many
 */
export async function releaseParked(
  parts: { db: Db; queues: Record<QueueName, Queue> },
  wanted: ParkedScope,
): Promise<number> {
  const { queues } = parts;
  const { redis, keys, scripts } = parts.db;
  let released = 0;
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(keys.parked, cursor, 'COUNT', 500);
    cursor = next;
    for (let at = 0; at < found.length; at += 2) {
      const jobId = found[at] ?? '';
      const mark = parseMark(found[at + 1] ?? '');
      if (mark.scope !== wanted.scope || mark.name !== wanted.name) continue;
      // The mark says that it is being released until the job is on its way: a crash in between leaves it findable, and
      // a job that is parked again at once has written a mark of its own, which stays.
      const queue = queues[mark.queue as QueueName] ?? queueOfJob(queues, jobId);
      const releasing = JSON.stringify({ ...wanted, queue: queue.name, releasing: true });
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

/** For people, after "parked for its": what a parked job waits for, and the command that lets it go on. @param mark as it stands beside the job's id */
export function describeParked(mark: string): string {
  const { scope, name } = parseMark(mark);
  if (scope === 'parked-mission')
    return `mission, which a person set aside; fleet resume ${String(name)} lets it go on`;
  const option = typeof scope === 'string' ? `--${scope} ${String(name)}` : '--batch NAME';
  return `budget; a higher one releases it: fleet budget USD ${option}`;
}

/** A mark of before there were several queues names none. */
function parseMark(text: string): { scope?: unknown; name?: unknown; queue?: unknown } {
  try {
    return JSON.parse(text) as { scope?: unknown; name?: unknown; queue?: unknown };
  } catch {
    return {};
  }
}
