import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import type { Db } from '../../src/redis/db.ts';
import { orIfDamaged } from '../../src/redis/errors/or-if-damaged.ts';
import { toStoredCount } from '../../src/redis/stored-record.ts';

/** BullMQ (6.7) scores a prioritized job `priority * 2^32 + counter`: of each priority the first is the oldest. */
const PRIORITY_STEP = 2 ** 32;
/** Priorities that are looked at, the last to be served first: their jobs wait longest. */
const MOST_PRIORITIES = 10;
/** Jobs at the head of a queue that are looked at: jobs that had begun come before older ones. */
const HEAD = 50;

/** Reads for each queue how long its oldest waiting job has waited since it was added, ms; 0: none waits. */
export async function readOldestWaiting(db: Db): Promise<Record<string, number>> {
  const names = Object.keys(queueRegistry) as QueueName[];
  const ages = await Promise.all(names.map((name) => readAge(db, name)));
  return Object.fromEntries(names.map((name, i) => [name, ages[i] ?? 0]));
}

async function readAge(db: Db, queue: QueueName): Promise<number> {
  const { redis, keys, clock } = db;
  const head = await orIfDamaged(redis.lrange(keys.queueKey(queue, 'wait'), -HEAD, -1), []);
  const ids = [...head, ...(await readFirstOfEachPriority(db, queue))];
  const added = await Promise.all(
    ids.map((id) => orIfDamaged(redis.hget(keys.queueKey(queue, id), 'timestamp'), null)),
  );
  const times = added.map((text) => toStoredCount(text)).filter((ms) => ms > 0);
  return times.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...times));
}

async function readFirstOfEachPriority({ redis, keys }: Db, queue: QueueName): Promise<string[]> {
  const key = keys.queueKey(queue, 'prioritized');
  const ids: string[] = [];
  let below = '+inf';
  while (ids.length < MOST_PRIORITIES) {
    const [, score] = await orIfDamaged(redis.zrevrangebyscore(key, below, '-inf', 'WITHSCORES', 'LIMIT', 0, 1), []);
    if (score === undefined) break;
    const from = Math.floor(Number(score) / PRIORITY_STEP) * PRIORITY_STEP;
    ids.push(...(await orIfDamaged(redis.zrangebyscore(key, from, '+inf', 'LIMIT', 0, 1), [])));
    below = `(${from}`;
  }
  return ids;
}
