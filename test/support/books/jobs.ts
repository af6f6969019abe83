import { SHARD_TEST_KIND } from '../../../src/findings/finding.ts';
import { queueRegistry } from '../../../queues/registry.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import type { Db } from '../../../src/redis/db.ts';
import { differ, sumOf } from './differ.ts';

const LISTS = ['wait', 'paused', 'active'];
const SORTED = ['delayed', 'prioritized', 'waiting-children', 'completed', 'failed'];

export async function compareJobs(db: Db, { isIdle }: { isIdle: boolean }): Promise<string[]> {
  const queues = await Promise.all(Object.keys(queueRegistry).map((queue) => compareQueue(db, queue)));
  return [...queues.flat(), ...(await compareTasks(db)), ...(isIdle ? await compareBatches(db) : [])];
}

/** A job is in one state, once. */
async function compareQueue({ redis, keys }: Db, queue: string): Promise<string[]> {
  const held = await Promise.all([
    ...LISTS.map((part) => redis.lrange(keys.queueKey(queue, part), 0, -1)),
    ...SORTED.map((part) => redis.zrange(keys.queueKey(queue, part), 0, '-1')),
  ]);
  const states = new Map<string, string[]>();
  for (const [i, jobs] of held.entries()) {
    for (const job of jobs) states.set(job, [...(states.get(job) ?? []), [...LISTS, ...SORTED][i] ?? '']);
  }
  const found = [...states].flatMap(([job, parts]) =>
    parts.length === 1 ? [] : [`job ${job} of ${queue}: is ${parts.join(' and ')}`],
  );
  for (const key of await redis.keys(keys.queueKey(queue, '*'))) {
    const job = key.slice(keys.queueKey(queue, '').length);
    if (job.includes(':') || states.has(job) || (await redis.type(key)) !== 'hash') continue;
    if ((await redis.hexists(key, 'data')) === 1) found.push(`job ${job} of ${queue}: in no state`);
  }
  return found;
}

/** Completed jobs are removed in time, so that the findings count. */
async function compareTasks(db: Db): Promise<string[]> {
  const { redis, keys } = db;
  const tasks = sumOf((await readLedger(db)).map((entry) => entry.tasks + entry.unmetered.tasks));
  const stored = await redis.keys(keys.finding('*'));
  const texts = stored.length === 0 ? [] : await redis.mget(stored);
  const jobs = texts.flatMap((text) => toJobId(text) ?? []);
  const twice = jobs.filter((job, i) => jobs.indexOf(job) !== i);
  return [
    ...twice.map((job) => `job ${job}: has two findings`),
    ...(tasks > jobs.length ? differ('tasks with a finding', ['ledger', tasks], ['at most', jobs.length]) : []),
  ];
}

/** A paper stores the test of its shards beside its own finding. */
function toJobId(text: string | null): string | null {
  if (text?.includes(`"kind":"${SHARD_TEST_KIND}"`) === true) return null;
  return /"job_id":"([^"]+)"/.exec(text ?? '')?.[1] ?? null;
}

async function compareBatches({ redis, keys }: Db): Promise<string[]> {
  const found: string[] = [];
  for (const batch of await redis.zrange(keys.batches, 0, '-1')) {
    const [facts, completed, failed] = await Promise.all([
      redis.hgetall(keys.batch(batch)),
      redis.zcard(keys.indexByBatch(batch)),
      redis.scard(keys.batchFailed(batch)),
    ]);
    found.push(...differ(`batch ${batch}`, ['tasks', Number(facts['tasks'] ?? 0)], ['ended', completed + failed]));
  }
  return found;
}
