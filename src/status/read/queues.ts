import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import type { QueueStatus } from '../types.ts';
import { runPipeline } from './run-pipeline.ts';

export const QUEUE_NAMES = Object.keys(queueRegistry) as QueueName[];

/** Commands that `readQueue` puts into the pipeline for one queue. */
const COMMANDS = 8;

/**
 * How many jobs of each queue are in which state, and whether it is paused: one round trip. Reads the keys that BullMQ's own
 * `getJobCounts` and `isPaused` read; a status then need not load that library. A test compares the two.
 */
export async function readQueues({ redis, keys }: Db): Promise<QueueStatus[]> {
  const pipeline = redis.pipeline();
  for (const name of QUEUE_NAMES) {
    const key = (part: string): string => keys.queueKey(name, part);
    pipeline
      .hexists(key('meta'), 'paused')
      .llen(key('wait'))
      .zcard(key('prioritized'))
      .llen(key('active'))
      .zcard(key('delayed'))
      .zcard(key('waiting-children'))
      .zcard(key('completed'))
      .zcard(key('failed'));
  }
  const replies = (await runPipeline(pipeline)) as number[];
  return QUEUE_NAMES.map((name, i) => toStatus(name, replies.slice(i * COMMANDS, (i + 1) * COMMANDS)));
}

/** @param counts in the order of the pipeline */
function toStatus(name: QueueName, counts: number[]): QueueStatus {
  const [paused = 0, wait = 0, prioritized = 0, active = 0, delayed = 0, waitingForChildren = 0, completed = 0] =
    counts;
  return {
    name,
    paused: paused === 1,
    waiting: wait + prioritized,
    active,
    delayed,
    waitingForChildren,
    parked: 0,
    completed,
    failed: counts[7] ?? 0,
  };
}
