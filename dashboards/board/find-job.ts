import type { Job, Queue } from 'bullmq';
import { queueRegistry, type QueueName } from '../../queues/registry.ts';

type Params = Record<string, unknown>;

/** The job that a request of Bull Board names; null: there is none. */
export async function findJob(queues: Record<QueueName, Queue>, params: Params): Promise<Job | null> {
  const [queue] = findQueue(queues, params);
  return queue === undefined ? null : ((await queue.getJob(String(params['jobId']))) ?? null);
}

/** The queue that a request names; empty: there is none. */
export function findQueue(queues: Record<QueueName, Queue>, params: Params): Queue[] {
  const name = toQueueName(params['queueName']);
  return name === null ? [] : [queues[name]];
}

/** @returns null: no queue of the fleet */
export function toQueueName(name: unknown): QueueName | null {
  return typeof name === 'string' && Object.hasOwn(queueRegistry, name) ? (name as QueueName) : null;
}
