import { Worker, type Queue } from 'bullmq';
import type { TestRedis } from '../redis/use-redis.ts';

/** Takes the next job of a queue under any name of a worker, and fails it. */
export async function failNext(fixture: TestRedis, queue: Queue, why: string, name = 'a worker'): Promise<void> {
  const { redis, keys } = fixture;
  const worker = new Worker(queue.name, null, { connection: redis, prefix: keys.bullPrefix, autorun: false, name });
  const job = await worker.getNextJob('token');
  await job?.moveToFailed(new Error(why), 'token', false);
  await worker.close();
}
