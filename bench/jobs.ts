import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { readJobPage } from '../src/jobs/find/list-jobs.ts';
import type { JobFilter } from '../src/jobs/find/types.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const JOBS = 100_000;
const WAITING = 1_000_000;
const ROUNDS = 9;
const SECOND = 1_000;

/** How long it takes to find one job of 100,000 by a word of its text, and what the first page costs at a million waiting jobs. */
export async function measureJobs(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const empty = await withSwarm(redis, 'empty', async (fleet) => commandsOf(fleet));
    const found = await withSwarm(redis, 'open', async (fleet) => {
      await fillQueue(fleet, JOBS);
      return [await timeOf(fleet, { words: 'needle' }), await timeOf(fleet, { batch: 'none' })];
    });
    await redis.empty();
    const dropped = await withSwarm(redis, 'dropped', async (fleet) => {
      await fillFindings(fleet, JOBS);
      return timeOf(fleet, { words: 'needle' });
    });
    await redis.empty();
    const [commands, ms] = await withSwarm(redis, 'waiting', async (fleet) => {
      await fillQueue(fleet, WAITING);
      return [await commandsOf(fleet), await timeOf(fleet, {})];
    });
    return [
      { name: 'one of 100,000 waiting by a word', value: found[0] ?? NaN, unit: 'ms', bar: { atMost: SECOND } },
      { name: 'none of 100,000 waiting by a batch', value: found[1] ?? NaN, unit: 'ms', bar: { atMost: SECOND } },
      { name: 'one of 100,000 dropped by a word', value: dropped, unit: 'ms', bar: { atMost: SECOND } },
      { name: 'first page, 1,000,000 waiting', value: ms ?? NaN, unit: 'ms', bar: { atMost: SECOND } },
      { name: 'its commands, no job', value: empty, unit: 'commands' },
      { name: 'its commands, 1,000,000 waiting', value: commands ?? NaN, unit: 'commands', bar: { exactly: empty } },
    ];
  } finally {
    await redis.stop();
  }
}

async function withSwarm<T>(
  redis: Awaited<ReturnType<typeof startScratchRedis>>,
  swarm: string,
  use: (fleet: OpenFleet) => Promise<T>,
): Promise<T> {
  const fleet = await openFleet(redis.config({ FLEET_SWARM: swarm }));
  try {
    return await use(fleet);
  } finally {
    await fleet.close();
  }
}

const textOf = (i: number): string =>
  `Read lib/part-${i}.ts and say what it exports. ${'Each of them on a line of its own. '.repeat(8)}${i === 777 ? 'Needle.' : ''}`;

/** Jobs as BullMQ stores them: its own `addBulk` would take minutes. */
export async function fillQueue(fleet: OpenFleet, count: number): Promise<void> {
  const { redis, keys } = fleet.inner.db;
  for (let from = 0; from < count; from += 5_000) {
    const chain = redis.pipeline();
    for (let i = from; i < Math.min(count, from + 5_000); i += 1) {
      const data = JSON.stringify({ description: textOf(i), kind: 'file', session: 's', batch: 'b', line: i });
      chain.hset(keys.queueKey('tasks', `b-${i}`), { name: 'task', data, timestamp: i, opts: '{"attempts":1}' });
      chain.lpush(keys.queueKey('tasks', 'wait'), `b-${i}`);
    }
    await chain.exec();
  }
}

async function fillFindings(fleet: OpenFleet, count: number): Promise<void> {
  const { redis, keys } = fleet.inner.db;
  for (let from = 0; from < count; from += 5_000) {
    const chain = redis.pipeline();
    for (let i = from; i < Math.min(count, from + 5_000); i += 1) {
      const finding = {
        finding_id: `f${i}`,
        task: textOf(i),
        result: 'x'.repeat(600),
        files_changed: [],
        job_id: `b-${i}`,
        session: 's',
      };
      const at = new Date(i).toISOString();
      chain.set(keys.finding(`f${i}`), JSON.stringify({ ...finding, at })).zadd(keys.index, i, `f${i}`);
    }
    await chain.exec();
  }
}

async function timeOf(fleet: OpenFleet, filter: JobFilter): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await readJobPage(fleet.inner.db, filter);
    times.push(performance.now() - began);
  }
  return median(times);
}

/** Commands that the client sends for the first page. */
async function commandsOf(fleet: OpenFleet): Promise<number> {
  const { redis } = fleet.inner.db;
  await readJobPage(fleet.inner.db, {}); // loads the scripts
  await redis.config('RESETSTAT');
  await readJobPage(fleet.inner.db, {});
  const stats = await redis.info('commandstats');
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? NaN);
}
