import { randomBytes } from 'node:crypto';
import { Queue, QueueEvents, Worker } from 'bullmq';
import type { Config } from '../config/environment.ts';
import { connectRedis } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { unwell, well, type CheckResult } from './check.ts';

const TIMEOUT_MS = 5_000;

/** Sends one job through a queue of its own to a worker of its own, and removes the queue. Calls no model. */
export async function checkRoundTrip(config: Config, keys: Keys): Promise<CheckResult> {
  const name = `doctor-${randomBytes(6).toString('hex')}`;
  const connection = await connectRedis(config.REDIS_URL, { role: 'worker', name: 'fleet-doctor' });
  const options = { connection, prefix: keys.bullPrefix };
  const queue = new Queue(name, options);
  const events = new QueueEvents(name, options);
  const worker = new Worker(name, async () => 'well', options);
  const ignore = (): void => undefined; // after a failure the job does not end, which the timeout reports
  queue.on('error', ignore);
  events.on('error', ignore);
  worker.on('error', ignore);
  try {
    await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
    const start = performance.now();
    const job = await queue.add('doctor', {}, { removeOnComplete: true, removeOnFail: true });
    const answer: unknown = await job.waitUntilFinished(events, TIMEOUT_MS);
    const ms = (performance.now() - start).toFixed(1);
    if (answer !== 'well') return unwell('queue', `a job came back as ${String(answer)}`, 'report this');
    return well('queue', `a job went through in ${ms} ms`);
  } finally {
    await Promise.allSettled([worker.close(true), events.close()]);
    await queue.obliterate({ force: true }).catch(() => undefined);
    await queue.close();
    connection.disconnect();
  }
}
