import { Job, type Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';
import { startOf } from '../../text/start-of.ts';

/** UTF-16 code units of a broken text that its job shows; the job's log holds all of it. */
const SHOWN = 200;

/**
 * Makes active jobs readable whose `data` or `opts` another program stored as no JSON: BullMQ cannot even name such a job, and
 * would take it again and again. What was stored goes into the job's log, a note takes its place, and the job goes back to
 * waiting; its next run fails as `invalid-job`. Safe to run by several workers at once.
 */
export async function mendUnreadableJobs({ redis, keys }: Db, queue: Queue): Promise<void> {
  for (const id of await redis.lrange(keys.queueKey(queue.name, 'active'), 0, -1)) {
    const key = keys.queueKey(queue.name, id);
    const [data = null, opts = null] = await redis.hmget(key, 'data', 'opts');
    const broken = Object.entries({ data, opts }).filter(([, text]) => text !== null && !isJson(text));
    if (broken.length === 0) continue;
    const problems = broken.map(([name, text]) => `${name}: expected JSON, got ${startOf(text ?? '', SHOWN)}`);
    await Job.addJobLog(queue, id, `unreadable job; data: ${data ?? ''}; opts: ${opts ?? ''}`);
    await redis.hset(key, { data: JSON.stringify(problems.join('; ')), ...(isJson(opts) ? {} : { opts: '{}' }) });
    const token = await redis.get(keys.jobLock(queue.name, id));
    const job = await queue.getJob(id);
    // Without a lock it is taken again anyway; another worker may have moved it meanwhile.
    if (token !== null) await job?.moveToWait(token).catch(() => undefined);
  }
}

function isJson(text: string | null): boolean {
  try {
    JSON.parse(text ?? '');
    return true;
  } catch {
    return false;
  }
}
