import { Queue, Worker } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet } from '../src/api/open-fleet.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createLogger } from '../src/process/logger.ts';
import type { Model } from '../src/models/model.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createInstantModel } from './instant-model.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const SAMPLES = 400;

/** Measures the time from enqueuing to the start of the processor, one job at a time on an idle fleet, compared with bare BullMQ. */
export async function measureLatency(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const [bare, fleet] = [await bareLatencies(redis), await fleetLatencies(redis)];
    const above = (share: number): number => percentile(fleet, share) - percentile(bare, share);
    return [
      { name: 'bare BullMQ, enqueue to processor, p50', value: percentile(bare, 0.5), unit: 'ms' },
      { name: 'bare BullMQ, enqueue to processor, p99', value: percentile(bare, 0.99), unit: 'ms' },
      { name: 'fleet above bare BullMQ, p50', value: above(0.5), unit: 'ms', bar: { atMost: 1.5 } },
      { name: 'fleet above bare BullMQ, p99', value: above(0.99), unit: 'ms', bar: { atMost: 5 } },
    ];
  } finally {
    await redis.stop();
  }
}

async function bareLatencies(scratch: ScratchRedis): Promise<number[]> {
  const connection = await connectRedis(scratch.url, { role: 'worker' });
  const producer = await connectRedis(scratch.url, { role: 'producer' });
  const queue = new Queue('bare', { connection: producer });
  let started: (startedAt: number) => void = () => undefined;
  const worker = new Worker('bare', async () => started(performance.now()), { connection, concurrency: 20 });
  await worker.waitUntilReady();
  const times = await sample(
    (onStart) => (started = onStart),
    async () => void (await queue.add('task', { description: 'job' })),
  );
  await worker.close();
  await queue.close();
  connection.disconnect();
  producer.disconnect();
  return times;
}

async function fleetLatencies(scratch: ScratchRedis): Promise<number[]> {
  const config = scratch.config({ FLEET_SWARM: 'latency' });
  const fleet = await openFleet(config);
  let started: (startedAt: number) => void = () => undefined;
  const instant = createInstantModel();
  const haiku = await runHaiku({
    config,
    model: instant satisfies Model,
    log: createLogger('bench', 'error'),
    onStart: () => started(performance.now()),
  });
  const times = await sample(
    (onStart) => (started = onStart),
    async () => void (await fleet.tasks.add({ description: 'job' })),
  );
  await haiku.close();
  await fleet.close();
  return times;
}

async function sample(
  listen: (onStart: (startedAt: number) => void) => void,
  enqueue: () => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES + 20; i += 1) {
    const start = new Promise<number>((resolve) => listen(resolve));
    const began = performance.now();
    await enqueue();
    times.push((await start) - began);
    await sleep(5); // until the fleet is idle
  }
  return times.slice(20); // without the first ones, which warm up
}
