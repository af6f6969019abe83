import { Queue, Worker } from 'bullmq';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { HAIKU_NODE_ARGUMENTS } from '../src/pm2/apps.ts';
import { createLogger } from '../src/process/logger.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createInstantModel } from './instant-model.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';
import { endProcess } from './start-gate-worker.ts';

const JOBS = 6_000;
const CONCURRENCY = 100;
/** Jobs that each process does before it is measured. Its code is then compiled, so that the start is not measured. */
const WARM_JOBS = 3_000;
/** Rounds, in which both run one after the other, so that other load on the machine affects both. */
const ROUNDS = 5;

/**
 * Measures the jobs a second of the whole path, enqueuing included, compared with bare BullMQ and a processor that does
 * nothing, in the same run on the same Redis.
 */
export async function measureThroughput(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const { bare, fleet } = await ratesInOneProcess();
    const one: number[] = [];
    const four: number[] = [];
    const bareOne: number[] = [];
    const bareFour: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await redis.empty();
      one.push(await processRate(redis, `p1-${round}`, 1));
      await redis.empty();
      four.push(await processRate(redis, `p4-${round}`, 4));
      await redis.empty();
      bareOne.push(await bareProcessRate(redis, 1));
      await redis.empty();
      bareFour.push(await bareProcessRate(redis, 4));
    }
    // On two cores one worker and Redis use both. More processes then only add work, also with bare BullMQ.
    const [scaled, bareScaled] = [median(four) / median(one), median(bareFour) / median(bareOne)];
    return [
      { name: 'bare BullMQ, no-op jobs', value: median(bare), unit: 'jobs/s' },
      { name: 'full path, instant model', value: median(fleet), unit: 'jobs/s' },
      { name: 'full path / bare BullMQ', value: median(fleet) / median(bare), unit: 'ratio', bar: { atLeast: 0.45 } },
      { name: 'four worker processes / one', value: scaled, unit: 'ratio' },
      { name: 'bare BullMQ, four processes / one', value: bareScaled, unit: 'ratio' },
      {
        name: 'four / one, beside bare BullMQ',
        value: scaled / Math.min(1, bareScaled),
        unit: 'ratio',
        bar: { atLeast: 1 },
      },
    ];
  } finally {
    await redis.stop();
  }
}

/** Both in turn, with Node's arguments of a Haiku worker. */
async function ratesInOneProcess(): Promise<Rates> {
  const entry = fileURLToPath(new URL('one-process.js', import.meta.url));
  const child = fork(entry, { execArgv: [...HAIKU_NODE_ARGUMENTS] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`one-process.js ended with ${String(code)} before it had measured`);
  });
  const [rates] = (await Promise.race([once(child, 'message'), ended])) as [Rates];
  await ended.catch(() => undefined); // it has measured
  return rates;
}

/** Jobs a second, one for each round. */
export interface Rates {
  bare: number[];
  fleet: number[];
}

/** Measures both in this process. */
export async function measureRates(): Promise<Rates> {
  const redis = await startScratchRedis();
  const rates: Rates = { bare: [], fleet: [] };
  try {
    await bareRate(redis, 1_000);
    await fleetRate(redis, 'warm', 1_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      await redis.empty();
      rates.bare.push(await bareRate(redis, JOBS));
      await redis.empty();
      rates.fleet.push(await fleetRate(redis, `one${round}`, JOBS));
    }
    return rates;
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
  await addBare(queue, jobs);
  await done;
  const rate = (jobs / (performance.now() - began)) * 1_000;
  await worker.close();
  await ran;
  await queue.close();
  redis.disconnect();
  producer.disconnect();
  return rate;
}

/** Returns the jobs a second of one worker in this process, enqueuing included. */
export async function fleetRate(scratch: ScratchRedis, swarm: string, jobs: number): Promise<number> {
  const config = scratch.config({ FLEET_SWARM: swarm, FLEET_HAIKU_CONCURRENCY: String(CONCURRENCY) });
  const fleet = await openFleet(config);
  const haiku = await runHaiku({ config, model: createInstantModel(), log: createLogger('bench', 'error') });
  const began = performance.now();
  await fleet.tasks.addMany(Array.from({ length: jobs }, (_, i) => ({ description: `job ${i}` })));
  await untilFound(fleet, jobs);
  const rate = (jobs / (performance.now() - began)) * 1_000;
  await haiku.close();
  await fleet.close();
  return rate;
}

async function processRate(scratch: ScratchRedis, swarm: string, processes: number): Promise<number> {
  const env = { FLEET_SWARM: swarm, FLEET_HAIKU_CONCURRENCY: String(CONCURRENCY) };
  const fleet = await openFleet(scratch.config(env));
  const children = await startWorkers('instant-worker.js', processes, { ...env, BENCH_REDIS_URL: scratch.url });
  const add = async (count: number): Promise<void> => {
    await fleet.tasks.addMany(Array.from({ length: count }, (_, i) => ({ description: `job ${i}` })));
  };
  const rate = await warmRate(fleet.inner.queues.tasks, processes, add, (count) => untilFound(fleet, count));
  await Promise.all(children.map((child) => endProcess(child, 'SIGTERM')));
  await fleet.close();
  return rate;
}

async function bareProcessRate(scratch: ScratchRedis, processes: number): Promise<number> {
  const producer = await connectRedis(scratch.url, { role: 'producer' });
  const queue = new Queue('bare', { connection: producer });
  const env = { BENCH_REDIS_URL: scratch.url, BENCH_CONCURRENCY: String(CONCURRENCY) };
  const children = await startWorkers('bare-worker.js', processes, env);
  const rate = await warmRate(
    queue,
    processes,
    (count) => addBare(queue, count),
    async (count) => {
      while ((await queue.getCompletedCount()) < count) await sleep(5);
    },
  );
  await Promise.all(children.map((child) => endProcess(child, 'SIGTERM')));
  await queue.close();
  producer.disconnect();
  return rate;
}

/** Returns the jobs a second of warm workers. All jobs are enqueued before the workers begin, so that only they are measured. */
async function warmRate(
  queue: Queue,
  processes: number,
  add: (count: number) => Promise<void>,
  untilDone: (count: number) => Promise<void>,
): Promise<number> {
  const before = WARM_JOBS * processes;
  await add(before);
  await untilDone(before);
  await queue.pause();
  await add(JOBS);
  const began = performance.now();
  await queue.resume();
  await untilDone(before + JOBS);
  return (JOBS / (performance.now() - began)) * 1_000;
}

async function startWorkers(entry: string, count: number, env: Record<string, string>): Promise<ChildProcess[]> {
  const path = fileURLToPath(new URL(entry, import.meta.url));
  const children = Array.from({ length: count }, () =>
    fork(path, {
      env: { ...process.env, ...env },
      execArgv: [...HAIKU_NODE_ARGUMENTS],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  return children;
}

async function addBare(queue: Queue, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    await queue.addBulk(
      Array.from({ length: 500 }, (_, i) => ({ name: 'task', data: { description: `job ${from + i}` } })),
    );
  }
}

/** Polls until so many findings are stored. A message for each finding would add work that only the benchmark needs. */
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
