import type { Queue } from 'bullmq';
import { MOST_PEERS } from '../../../queues/assist.ts';
import type { Db } from '../../redis/db.ts';
import { listAssistIds } from './question.ts';

/**
 * Removes those of these assist tasks that have not begun: nobody needs them. Those that have begun end before their next call,
 * because their question is closed.
 */
export async function dropAssists({ redis, keys }: Db, queue: Queue, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const chain = redis.pipeline();
  for (const id of ids) chain.exists(keys.turns(id)).hexists(keys.queueKey(queue.name, id), 'finishedOn');
  const replies = (await chain.exec()) ?? [];
  const waiting = ids.filter((_, i) => replies[2 * i]?.[1] === 0 && replies[2 * i + 1]?.[1] === 0);
  await Promise.all(waiting.map((id) => queue.remove(id))); // a job that a worker has stays
}

/** Removes the assist tasks of a task that fails, cancelled or not. */
export async function dropAssistsOf(db: Db, queue: Queue, asker: string): Promise<void> {
  const asked = (await db.redis.hget(db.keys.turns(asker), 'asked')) ?? '';
  const calls = asked.split(',').filter((call) => call !== '');
  await dropAssists(
    db,
    queue,
    calls.flatMap((call) => listAssistIds(asker, call, MOST_PEERS)),
  );
}
