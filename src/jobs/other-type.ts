import { queueRegistry } from '../../queues/registry.ts';
import type { Db } from '../redis/db.ts';

/** How long what was under a job's key stays aside. */
const KEEP_SECONDS = 7 * 24 * 3_600;
/** Delayed jobs of one look. BullMQ itself takes as many at once. */
const MOST = 1_000;
/** Jobs that are due within this time are looked at, ms. */
const AHEAD_MS = 10_000;
/** BullMQ multiplies the time of a delayed job by it (6.7, addDelayedJob). */
const SCORE_OF_MS = 0x1000;

/**
 * Renames the key of a job under which another program stored another type than a hash, and puts a job in its place that fails as
 * `invalid-job`. BullMQ's scripts break off half-way at such a key.
 * @returns whether the key held another type
 */
export async function putOtherTypeAside({ redis, keys, clock }: Db, queue: string, id: string): Promise<boolean> {
  const key = keys.queueKey(queue, id);
  const type = await redis.type(key);
  if (type === 'hash' || type === 'none') return false;
  const aside = keys.damagedJob(queue, id);
  const note = JSON.stringify(`the job: expected a hash, got a ${type}`);
  await redis
    .multi()
    .rename(key, aside)
    .expire(aside, KEEP_SECONDS)
    .hset(key, { name: '', opts: '{}', timestamp: clock.now(), data: note })
    .exec();
  return true;
}

/**
 * Looks at the delayed jobs that are due soon. At a key of another type, BullMQ's script forgets all jobs that are due with it.
 * @returns how many it has put aside
 */
export async function putDelayedAside(db: Db): Promise<number> {
  let put = 0;
  for (const queue of Object.keys(queueRegistry)) put += await putAsideIn(db, queue);
  return put;
}

/** Whether any job is delayed. */
export async function isAnyDelayed({ redis, keys }: Db): Promise<boolean> {
  return (await redis.exists(...Object.keys(queueRegistry).map((queue) => keys.queueKey(queue, 'delayed')))) > 0;
}

async function putAsideIn(db: Db, queue: string): Promise<number> {
  const { redis, keys, clock } = db;
  const before = (clock.now() + AHEAD_MS) * SCORE_OF_MS;
  const ids = await redis.zrangebyscore(keys.queueKey(queue, 'delayed'), 0, before, 'LIMIT', 0, MOST);
  if (ids.length === 0) return 0;
  const chain = redis.pipeline();
  for (const id of ids) chain.type(keys.queueKey(queue, id));
  const types = ((await chain.exec()) ?? []).map(([, type]) => type);
  const wrong = ids.filter((_, i) => types[i] !== 'hash' && types[i] !== 'none');
  for (const id of wrong) await putOtherTypeAside(db, queue, id);
  return wrong.length;
}
