import type { Queue } from 'bullmq';
import { endCancelledOutside } from '../../jobs/leased/end-cancelled.ts';
import { promote } from '../../jobs/wake/promote.ts';
import { readJobs } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { countOf } from '../../text/plural.ts';
import { toTaskId } from '../../../queues/ids.ts';

const CHUNK = 500;

/**
 * Cancels every task of a batch that has not ended: stores a mark for each, and sends a message for those that run.
 * @param onState called with the state in which each was
 * @returns how many
 */
export async function cancelBatch(
  db: Db,
  queue: Queue,
  batch: string,
  {
    onProgress,
    onState,
  }: { onProgress?: ((lines: number, of: number) => void) | undefined; onState?: (state: string) => void } = {},
): Promise<number> {
  const { redis, keys, clock } = db;
  const lines = Number((await redis.hget(keys.batch(batch), 'lines')) ?? 0);
  let cancelled = 0;
  for (let from = 1; from <= lines; from += CHUNK) {
    const ids = Array.from({ length: Math.min(CHUNK, lines - from + 1) }, (_, i) => toTaskId(batch, from + i));
    const states = (await readJobs(db, queue.name, ids)).map(({ state }) => state);
    const open = ids.filter((_, i) => !['completed', 'failed', 'unknown'].includes(states[i] ?? 'unknown'));
    onProgress?.(Math.min(from + CHUNK - 1, lines), lines);
    if (open.length === 0) continue;
    const now = clock.now();
    const chain = redis.multi().zadd(keys.cancelled, ...open.flatMap((id) => [now, id]));
    chain.hdel(keys.parked, ...open);
    for (const id of open) {
      if (states[ids.indexOf(id)] === 'active') {
        chain.publish(keys.control, JSON.stringify({ type: 'cancel', jobId: id }));
      }
    }
    await chain.exec();
    const ended = await endCancelledOutside({ db, queue }, open);
    const delayed = open.filter((id) => states[ids.indexOf(id)] === 'delayed' && !ended.has(id));
    await Promise.all(
      delayed.map(async (id) => {
        const job = await queue.getJob(id);
        if (job !== undefined) await promote(job);
      }),
    );
    cancelled += open.length;
    for (const id of open) onState?.(states[ids.indexOf(id)] ?? 'unknown');
  }
  if (cancelled > 0)
    await noteActivity(db, {
      what: 'cancelled',
      id: batch,
      text: `${countOf(cancelled, 'task')} of this batch`,
      batch,
    });
  return cancelled;
}
