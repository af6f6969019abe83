import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { isTemporary } from '../../redis/connection/refusals.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import type { Db } from '../../redis/db.ts';
import type { CreateRecord, RunRecord } from '../../run-record/run-record.ts';
import { toTaskFor, UNTIL_CLAIMED_MS } from '../offer.ts';
import { parseClaim } from './claim-record.ts';

const MOST_AT_ONCE = 200;
/** Counter of the status. */
const LOST = 'outside_leases_lost';
const RELEASED = 'outside_released';

/** Gives a task back by its lease: it is offered again. @returns false: the lease no longer holds it */
export async function releaseTask(
  db: Db,
  { taskId, lease: token, why, record }: { taskId: string; lease: string; why: string; record?: RunRecord | undefined },
): Promise<boolean> {
  const data = await db.redis.hget(db.keys.queueKey('tasks', taskId), 'data');
  return offerAgain(db, taskId, { token, data, counter: RELEASED, line: `offered again: ${why}`, record });
}

/**
 * Offers the tasks again whose outside workers neither renewed nor reported in time. Whatever uses outside workers calls it, and the
 * fleet's workers at intervals. It is no death of a worker: nothing counts it as one.
 * @param openQueue ends tasks whose finding is stored, and whose outside worker died before their job ended; without it they stay
 * @returns the ids of those that are offered again
 */
export async function returnLost(db: Db, openQueue?: () => Queue, createRecord?: CreateRecord): Promise<string[]> {
  const { redis, keys, clock } = db;
  const now = clock.now();
  const due = await redis.zrangebyscore(keys.outsideLeases, '-inf', now, 'LIMIT', 0, MOST_AT_ONCE);
  const returned: string[] = [];
  for (const id of due) {
    const [data = null, claim = null] = await redis.hmget(keys.queueKey('tasks', id), 'data', 'outside');
    if (openQueue !== undefined && (await endRecorded(db, openQueue, id, data))) continue;
    const { by } = parseClaim(claim);
    const line = `lease lost: ${by} neither renewed nor reported it in time; the task is offered again`;
    const record = createRecord?.();
    if (await offerAgain(db, id, { token: '', data, counter: LOST, line, record })) returned.push(id);
  }
  return returned;
}

/** The same for who only looks: a full Redis must not keep a status from being shown. The next look finds them again. */
export async function returnLostIfWritable(db: Db, openQueue: () => Queue): Promise<void> {
  try {
    await returnLost(db, openQueue);
  } catch (error) {
    if (!isTemporary(error)) throw error;
  }
}

/** Loads BullMQ only where a lease was lost. */
async function endRecorded(db: Db, openQueue: () => Queue, id: string, data: string | null): Promise<boolean> {
  const { completeRecorded } = await import('./end-held.ts');
  return completeRecorded({ db, queue: openQueue() }, id, data);
}

interface Offer {
  /** Of the lease; empty: the lease is over. */
  token: string;
  data: string | null;
  counter: string;
  /** Of the job's log, without its time. */
  line: string;
  record?: RunRecord | undefined;
}

async function offerAgain(
  { keys, scripts, clock }: Db,
  id: string,
  { token, data, counter, line, record }: Offer,
): Promise<boolean> {
  const part = (name: string): string => keys.queueKey('tasks', name);
  record?.note({ kind: 'offered', reason: line });
  const answer = await scripts['return-task'](
    {
      leases: keys.outsideLeases,
      offered: keys.offered,
      active: part('active'),
      wait: part('wait'),
      delayed: part('delayed'),
      stalled: part('stalled'),
      events: part('events'),
      meta: part('meta'),
      marker: part('marker'),
      counters: keys.counters,
      job: part(id),
      lock: keys.jobLock('tasks', id),
      logs: keys.jobLogs('tasks', id),
      run: keys.run(id),
    },
    [
      JSON.stringify({
        id,
        token,
        waits: toTaskFor(parseRecord(data)) === 'any' ? '1' : '0',
        later_ms: UNTIL_CLAIMED_MS,
        counter,
        line: `${clock.date().toISOString()} ${line}`,
        call: randomUUID(),
        ...(record === undefined ? {} : { record: record.take() }),
      }),
    ],
  );
  return answer === 'returned';
}
