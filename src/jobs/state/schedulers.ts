import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { Scheduler } from './types.ts';

/** Schedulers of a queue that are looked at: it bounds the size of a status. */
const MOST = 20;

/** Finds the job schedulers on the fleet's queues. The fleet makes none: another program adds work with them, again and again. */
export async function readSchedulers(db: Db): Promise<Scheduler[]> {
  return (await Promise.all(Object.values(queueRegistry).map(({ name }) => readOfQueue(db, name)))).flat();
}

async function readOfQueue({ redis, keys }: Db, queue: QueueName): Promise<Scheduler[]> {
  const index = keys.queueKey(queue, 'repeat');
  const found = await redis.zrange(index, 0, String(MOST - 1), 'WITHSCORES').catch(() => []); // a key of a wrong type
  const pairs = Array.from(
    { length: found.length / 2 },
    (_, i) => [found[2 * i] ?? '', Number(found[2 * i + 1])] as const,
  );
  return Promise.all(
    pairs.map(async ([id, nextAtMs]) => {
      const [every, pattern] = await redis
        .hmget(keys.queueKey(queue, `repeat:${id}`), 'every', 'pattern')
        .catch(() => []);
      const when = pattern ?? (every === null || every === undefined ? '' : `every ${Number(every) / 1_000} s`);
      const nextAt = Number.isFinite(nextAtMs) ? new Date(nextAtMs).toISOString() : null;
      return { queue, id: toOneLine(id, 100), when: toOneLine(when, 100), nextAt };
    }),
  );
}
