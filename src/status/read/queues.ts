import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
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

/** Reads why the newest failed jobs of each queue failed, the most frequent reason first. */
export async function readFailureReasons(db: Db): Promise<{ queue: QueueName; reason: string; count: number }[]> {
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
