import { Queue, Worker, type Job } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** A queue as any other BullMQ client opens it, which knows nothing of the fleet. Closed after the test. */
export async function openBareQueue(redis: TestRedis, name: QueueName): Promise<Queue> {
  const queue = new Queue(name, { connection: await redis.connect(), prefix: redis.keys.bullPrefix });
  redis.cleanup(() => queue.close());
  return queue;
}

/** Takes the next job of a queue as a worker does that never runs it. @throws Error where no job waits */
export async function takeJob(redis: TestRedis, name: QueueName, token = 'token'): Promise<Job> {
  const worker = new Worker(name, null, { connection: await redis.connect(), prefix: redis.keys.bullPrefix });
  redis.cleanup(() => worker.close());
  const job = await worker.getNextJob(token);
  if (job === undefined) throw new Error(`no job waits in queue ${name}`);
  return job;
}
