import { createRequire } from 'node:module';
import type * as BullMq from 'bullmq';
import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { assertQueueName } from './check-input.ts';
import type { Db } from '../redis/db.ts';
import { keepRedisTime } from './redis-time.ts';

const load = createRequire(import.meta.url);

/** Lines of a job's log: a job that waits for days writes one a wait. */
const KEEP_LOGS = 1_000;
/** Longest events stream of a queue: enough for a page to follow, no more. */
const EVENTS_MAX_LENGTH = 1_000;

/** The BullMQ queue behind a definition, on a connection the caller owns. @throws UsageError for a name that is no queue's */
export function connectQueue(name: QueueName, { redis, keys, clock }: Db): BullMq.Queue {
  assertQueueName(name);
  const definition = queueRegistry[name];
  // The first queue loads BullMQ, the largest of the libraries; a process that only reads opens no queue.
  const { Queue, createRedisBackend } = load('bullmq') as typeof BullMq;
  const settings = {
    connection: redis,
    prefix: keys.bullPrefix,
    streams: { events: { maxLen: EVENTS_MAX_LENGTH } },
    defaultJobOptions: {
      attempts: definition.attempts,
      removeOnComplete: definition.keep.completed,
      keepLogs: KEEP_LOGS,
      removeOnFail: false, // `dropEndedJobs` removes them, and counts them
    },
  };
  const queue = new Queue(definition.name, settings, keepRedisTime(createRedisBackend, clock));
  queue.on('error', () => undefined); // the connection's own listener reports it; without one Node would end the process
  return queue;
}

/** All queues of the fleet, opened. */
export function connectQueues(db: Db): Record<QueueName, BullMq.Queue> {
  return {
    tasks: connectQueue('tasks', db),
    archive: connectQueue('archive', db),
    missions: connectQueue('missions', db),
  };
}

/** All queues of the fleet; each is opened when its member is first read. */
export interface LazyQueues {
  queues: Record<QueueName, BullMq.Queue>;
  /** Closes those that were opened. */
  close(): Promise<void>;
}

export function connectQueuesLazily(db: Db): LazyQueues {
  const opened = new Map<QueueName, BullMq.Queue>();
  const open = (name: QueueName): BullMq.Queue => {
    const queue = opened.get(name) ?? connectQueue(name, db);
    opened.set(name, queue);
    return queue;
  };
  return {
    queues: {
      get tasks() {
        return open('tasks');
      },
      get archive() {
        return open('archive');
      },
      get missions() {
        return open('missions');
      },
    },
    async close() {
      await Promise.all([...opened.values()].map((queue) => queue.close()));
    },
  };
}
