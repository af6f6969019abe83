import { Queue } from 'bullmq';
import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { assertQueueName } from './check-input.ts';
import type { Db } from '../redis/db.ts';

/** Longest events stream of a queue: enough for a page to follow, no more. */
const EVENTS_MAX_LENGTH = 1_000;

/** The BullMQ queue behind a definition, on a connection the caller owns. @throws UsageError for a name that is no queue's */
export function connectQueue(name: QueueName, { redis, keys }: Db): Queue {
  assertQueueName(name);
  const definition = queueRegistry[name];
  const queue = new Queue(definition.name, {
    connection: redis,
    prefix: keys.bullPrefix,
    streams: { events: { maxLen: EVENTS_MAX_LENGTH } },
    defaultJobOptions: {
      attempts: definition.attempts,
      removeOnComplete: definition.keep.completed,
      removeOnFail: definition.keep.failed,
    },
  });
  queue.on('error', () => undefined); // the connection's own listener reports it; without one Node would end the process
  return queue;
}

export function connectQueues(db: Db): Record<QueueName, Queue> {
  return {
    tasks: connectQueue('tasks', db),
    archive: connectQueue('archive', db),
    missions: connectQueue('missions', db),
  };
}
