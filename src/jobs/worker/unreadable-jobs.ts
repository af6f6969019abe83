import { Job, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { putOtherTypeAside } from '../other-type.ts';
import type { Db } from '../../redis/db.ts';
import { startOf } from '../../text/start-of.ts';

/** UTF-16 code units of a broken text that its job shows; the job's log holds all of it. */
const SHOWN = 200;

/** The fields of a job that BullMQ parses before it names the job (6.7, Job.fromJSON). */
const PARSED = ['data', 'opts', 'progress', 'stacktrace', 'returnvalue', 'parent'] as const;

/** The fields of a job that BullMQ's scripts increase. */
const COUNTS = ['atm', 'ats', 'stc'] as const;

/**
 * Makes active jobs readable in which another program stored as no JSON what BullMQ parses: BullMQ cannot even name such a job, and
 * would take it again and again. What was stored goes into the job's log, a note takes the place of its data, and the job goes back
 * to waiting; its next run fails as `invalid-job`. Safe to run by several workers at once.
 * @returns how many jobs it has mended
 */
export async function mendUnreadableJobs(db: Db, queue: Queue): Promise<number> {
  const { redis, keys } = db;
  let mended = 0;
  for (const id of await redis.lrange(keys.queueKey(queue.name, 'active'), 0, -1)) {
    const key = keys.queueKey(queue.name, id);
    const isAside = await putOtherTypeAside(db, queue.name, id);
    if ((await redis.type(key)) !== 'hash') continue;
    const texts = await redis.hmget(key, ...PARSED);
    const fields = PARSED.map((name, i) => ({ name, text: texts[i] ?? null }));
    const counts = await readWrongCounts(redis, key);
    const broken = [
      ...fields.filter(({ name, text }) => text !== null && text !== '' && !isReadable(name, text)),
      ...counts,
    ];
    if (broken.length === 0 && !isAside) continue;
    const problems = broken.map(({ name, text }) => `${name}: ${toRule(name)}, got ${startOf(text ?? '', SHOWN)}`);
    await Job.addJobLog(
      queue,
      id,
      `unreadable job; ${fields.map(({ name, text }) => `${name}: ${text ?? ''}`).join('; ')}`,
    );
    if (!isAside) await redis.hset(key, { data: JSON.stringify(problems.join('; ')) });
    const others = broken.flatMap(({ name }) => (name === 'data' ? [] : [name]));
    if (others.length > 0) await redis.hdel(key, ...others);
    mended += 1;
    const token = await redis.get(keys.jobLock(queue.name, id));
    const job = await queue.getJob(id);
    // Without a lock it is taken again anyway; another worker may have moved it meanwhile.
    if (token !== null) await job?.moveToWait(token).catch(() => undefined);
  }
  return mended;
}

/**
 * Takes away what keeps a job from its end, and puts it back where it was: among the active jobs of this worker.
 * @returns false: it has ended
 */
export async function mendUnendableJob(
  db: Db,
  { job, token, lockMs }: { job: Job; token: string; lockMs: number },
): Promise<boolean> {
  const { redis, keys } = db;
  const id = job.id ?? '';
  const part = (name: string): string => keys.queueKey(job.queueName, name);
  const [failed, completed] = await Promise.all([
    redis.zscore(part('failed'), id),
    redis.zscore(part('completed'), id),
  ]);
  if (failed !== null || completed !== null) return false;
  const key = part(id);
  await putOtherTypeAside(db, job.queueName, id);
  const counts = (await readWrongCounts(redis, key)).map(({ name }) => name);
  if (counts.length > 0) await redis.hdel(key, ...counts);
  if (job.parentKey !== undefined && (await redis.exists(job.parentKey)) === 0) {
    await redis.hdel(key, 'parentKey', 'parent');
    delete job.parentKey;
    delete job.parent;
  }
  await redis
    .multi()
    .lrem(part('active'), 0, id)
    .lpush(part('active'), id)
    .set(keys.jobLock(job.queueName, id), token, 'PX', lockMs)
    .exec();
  return true;
}

async function readWrongCounts(redis: Redis, key: string): Promise<{ name: string; text: string | null }[]> {
  const texts = await redis.hmget(key, ...COUNTS);
  const counts = COUNTS.map((name, i) => ({ name, text: texts[i] ?? null }));
  return counts.filter(({ text }) => text !== null && !/^-?\d{1,15}$/.test(text));
}

function toRule(name: string): string {
  if (COUNTS.some((count) => count === name)) return 'expected a whole number';
  return name === 'opts' ? 'expected an object as JSON' : 'expected JSON';
}

function isReadable(name: string, text: string): boolean {
  try {
    return JSON.parse(text) !== null || name !== 'opts';
  } catch {
    return false;
  }
}
