import { Queue, Worker } from 'bullmq';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, type OpenFleet } from '../src/open-fleet.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createLogger } from '../src/logger.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createInstantModel } from './instant-model.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const JOBS = 6_000;
const CONCURRENCY = 100;
/** Jobs each process does before it is measured: its code is compiled then, and what is compared is how it works, not how it starts. */
const WARM_JOBS = 3_000;
/** Rounds of both, one after the other: what else the machine does meets both alike. */
const ROUNDS = 5;

/** Jobs a second of the whole path, beside BullMQ alone with a processor that does nothing. Same run, same Redis, enqueuing included. */
export async function measureThroughput(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const bare: number[] = [];
    const fleet: number[] = [];
    await bareRate(redis, 1_000);
    await fleetRate(redis, 'warm', 1_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      await redis.empty();
      bare.push(await bareRate(redis, JOBS));
      await redis.empty();
      fleet.push(await fleetRate(redis, `one${round}`, JOBS));
    }
    const one: number[] = [];
    const four: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await redis.empty();
      one.push(await processRate(redis, `p1-${round}`, 1));
      await redis.empty();
      four.push(await processRate(redis, `p4-${round}`, 4));
    }
    return [
      { name: 'bare BullMQ, no-op jobs', value: median(bare), unit: 'jobs/s' },
      { name: 'full path, instant model', value: median(fleet), unit: 'jobs/s' },
      { name: 'full path / bare BullMQ', value: median(fleet) / median(bare), unit: 'ratio', bar: { atLeast: 0.45 } },
      { name: 'four worker processes / one', value: median(four) / median(one), unit: 'ratio', bar: { atLeast: 1 } },
    ];
  } finally {
    await redis.stop();
  }
}

async function bareRate(scratch: ScratchRedis, jobs: number): Promise<number> {
  const redis = await connectRedis(scratch.url, { role: 'worker' });
  const producer = await connectRedis(scratch.url, { role: 'producer' });
  const queue = new Queue('bare', { connection: producer });
  await queue.obliterate({ force: true });
  const worker = new Worker('bare', async () => null, { connection: redis, concurrency: CONCURRENCY, autorun: false });
  worker.on('error', () => undefined);
  await worker.waitUntilReady();
  const began = performance.now();
  const done = countTo(jobs, (tick) => worker.on('completed', tick));
  const ran = worker.run();
  for (let from = 0; from < jobs; from += 500) {
    await queue.addBulk(
      Array.from({ length: 500 }, (_, at) => ({ name: 'task', data: { description: `job ${from + at}` } })),
    );
  }
  await done;
  const rate = (jobs / (performance.now() - began)) * 1_000;
  await worker.close();
  await ran;
  await queue.close();
  redis.disconnect();
  producer.disconnect();
  return rate;
}

/** Jobs a second of one worker in this process, enqueuing included. */
export async function fleetRate(scratch: ScratchRedis, swarm: string, jobs: number): Promise<number> {
  const config = scratch.config({ FLEET_SWARM: swarm, FLEET_HAIKU_CONCURRENCY: String(CONCURRENCY) });
  const fleet = await openFleet(config);
  const haiku = await runHaiku({ config, model: createInstantModel(), log: createLogger('bench', 'error') });
  const began = performance.now();
  await fleet.tasks.addMany(Array.from({ length: jobs }, (_, at) => ({ description: `job ${at}` })));
  await untilFound(fleet, jobs);
  const rate = (jobs / (performance.now() - began)) * 1_000;
  await haiku.close();
  await fleet.close();
  return rate;
}

async function processRate(scratch: ScratchRedis, swarm: string, processes: number): Promise<number> {
  const env = { FLEET_SWARM: swarm, FLEET_HAIKU_CONCURRENCY: String(CONCURRENCY) };
  const fleet = await openFleet(scratch.config(env));
  const entry = fileURLToPath(new URL('instant-worker.js', import.meta.url));
  const children = Array.from({ length: processes }, () =>
    fork(entry, {
      env: { ...process.env, ...env, BENCH_REDIS_URL: scratch.url },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(children.map((child) => message(child)));
  const before = WARM_JOBS * processes;
  await fleet.tasks.addMany(Array.from({ length: before }, (_, at) => ({ description: `job ${at}` })));
  await untilFound(fleet, before);
  await fleet.inner.queues.tasks.pause(); // what is compared is the workers: enqueuing is done before they begin
  await fleet.tasks.addMany(Array.from({ length: JOBS }, (_, at) => ({ description: `job ${at}` })));
  const began = performance.now();
  await fleet.inner.queues.tasks.resume();
  await untilFound(fleet, before + JOBS);
  const rate = (JOBS / (performance.now() - began)) * 1_000;
  await Promise.all(
    children.map(async (child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }),
  );
  await fleet.close();
  return rate;
}

/** Asks, rather than listens: a message for each finding would be work that only the measuring makes. */
async function untilFound(fleet: OpenFleet, count: number): Promise<void> {
  while ((await fleet.findings.count()) < count) await sleep(5);
}

function countTo(count: number, listen: (tick: () => void) => void): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    listen(() => {
      seen += 1;
      if (seen === count) resolve();
    });
  });
}

function message(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('message', () => resolve()));
}
