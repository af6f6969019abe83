import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import { countParked } from '../../jobs/outcomes/parked.ts';
import type { Db } from '../../redis/db.ts';
import { readMany } from '../../redis/read-many.ts';
import type { QueueStatus } from '../types.ts';

const QUEUE_NAMES = Object.keys(queueRegistry) as QueueName[];

/**
 * Failed jobs that are read for their reasons, per queue; also the most parked jobs that are grouped. It bounds the size of
 * a status.
 */
export const SAMPLE = 1_000;

/**
 * Reads how many jobs of each queue are in which state, and whether the queue is paused: one round trip. Reads the keys
 * that BullMQ's own `getJobCounts` and `isPaused` read, so that a status does not load BullMQ. A test compares the two.
 */
export async function readQueues(db: Db): Promise<QueueStatus[]> {
  return Promise.all(QUEUE_NAMES.map((name) => readQueue(db, name)));
}

async function readQueue({ redis, keys }: Db, name: QueueName): Promise<QueueStatus> {
  const key = (part: string): string => keys.queueKey(name, part);
  const counts = await readMany(redis, {
    paused: (r) => r.hexists(key('meta'), 'paused'),
    wait: (r) => r.llen(key('wait')),
    prioritized: (r) => r.zcard(key('prioritized')),
    active: (r) => r.llen(key('active')),
    delayed: (r) => r.zcard(key('delayed')),
    waitingForChildren: (r) => r.zcard(key('waiting-children')),
    completed: (r) => r.zcard(key('completed')),
    failed: (r) => r.zcard(key('failed')),
    cancelled: (r) => r.zcard(keys.cancelledEnds(name)),
  });
  return {
    name,
    paused: counts.paused === 1,
    waiting: counts.wait + counts.prioritized,
    active: counts.active,
    delayed: counts.delayed,
    waitingForChildren: counts.waitingForChildren,
    parked: 0,
    completed: counts.completed,
    failed: counts.failed,
    cancelled: counts.cancelled,
  };
}

/**
 * Counts the parked jobs apart: BullMQ counts a parked job as delayed.
 * @param parked records of the parked jobs; empty also where they are too many to read, which then count as tasks
 * @param parkedCount how many jobs are parked in all queues
 */
export function splitParked(queue: QueueStatus, parked: string[], parkedCount: number): QueueStatus {
  const counted = queue.name === 'tasks' && parked.length === 0 ? parkedCount : countParked(parked, queue.name);
  const ofQueue = Math.min(counted, queue.delayed);
  return { ...queue, parked: ofQueue, delayed: queue.delayed - ofQueue };
}

/**
 * Counts the cancelled jobs apart: BullMQ keeps them with the failed ones.
 * @param queue as `readQueues` read it; `cancelled`: those that this version noted
 * @param reasons of the newest failed jobs: they are exact where there are no more, and know those of an older version
 */
export function splitCancelled(queue: QueueStatus, reasons: readonly FailureReason[]): QueueStatus {
  const sampled = reasons
    .filter((group) => group.queue === queue.name && isCancelled(group.reason))
    .reduce((sum, { count }) => sum + count, 0);
  const noted = queue.failed <= SAMPLE ? sampled : Math.max(sampled, queue.cancelled);
  const cancelled = Math.min(noted, queue.failed);
  return { ...queue, cancelled, failed: queue.failed - cancelled };
}

/** Failed jobs of one queue that have one reason. */
interface FailureReason {
  queue: QueueName;
  reason: string;
  count: number;
}

/** Reads why the newest failed jobs of each queue failed, the most frequent reason first. */
export async function readFailureReasons(db: Db): Promise<FailureReason[]> {
  const reasons = await Promise.all(QUEUE_NAMES.map((queue) => readReasonsOfQueue(db, queue)));
  return reasons.flat().sort((a, b) => b.count - a.count);
}

async function readReasonsOfQueue({ keys, scripts }: Db, queue: QueueName) {
  const failed = keys.queueKey(queue, 'failed');
  const flat = await scripts['failure-reasons']({ failed }, [keys.queueKey(queue, ''), SAMPLE]);
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    queue,
    reason: String(flat[2 * i]),
    count: Number(flat[2 * i + 1]),
  }));
}
