import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { watchProcesses } from '../../../src/jobs/worker/process-watch.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { hasEnded, readOwnMark } from '../../../src/process/program/process-mark.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const log = createLogger('test', 'silent');

/** Notes a process of the tasks queue with one job. @param mark as JSON */
async function addProcess(id: string, mark: string, job: string, notedAt = Date.now()): Promise<void> {
  const { redis: client, keys } = redis;
  await client.hset(keys.processes('tasks'), id, `${notedAt}|${mark}`);
  await client.lpush(keys.queueKey('tasks', 'active'), job);
  await client.set(keys.jobLock('tasks', job), `${id}:7`);
}

function watch(): { freed: () => number; stop: () => Promise<void> } {
  let freed = 0;
  const stop = watchProcesses({
    db: redis.db,
    queue: 'tasks',
    id: 'own',
    workerId: 'w',
    onFreed: async () => void (freed += 1),
    log,
  });
  redis.cleanup(stop);
  return { freed: () => freed, stop };
}

async function readBegan(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

const isLocked = async (job: string): Promise<boolean> =>
  (await redis.redis.exists(redis.keys.jobLock('tasks', job))) === 1;

test('frees the jobs of a process of this machine that has ended, and of no other', async () => {
  const own = readOwnMark();
  if (own === null) return; // not Linux
  const child = spawn('sleep', ['60']);
  await addProcess('lives', JSON.stringify(own), 'a');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await addProcess('ended', JSON.stringify({ ...own, pid: child.pid }), 'b');
  await addProcess('other program', JSON.stringify({ ...own, began: '1' }), 'c'); // its id is used again, by this process
  await addProcess('elsewhere', JSON.stringify({ ...own, machine: 'other', pid: child.pid }), 'd');
  await addProcess('not Linux', 'null', 'e');
  await addProcess('damaged', '{"machine":', 'f');
  const { freed, stop } = watch();

  await expect.poll(() => freed()).toBe(2);
  const locked = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(isLocked));
  expect(locked).toEqual([true, false, false, true, true, true]);
  expect(await redis.redis.zrange(redis.keys.deaths('tasks'), '0', '-1')).toEqual(
    expect.arrayContaining([expect.stringMatching(/^ended\|\d$/), expect.stringMatching(/^other program\|\d$/)]),
  );
  expect((await redis.redis.smembers(redis.keys.queueKey('tasks', 'stalled'))).toSorted()).toEqual(['b', 'c']);
  await stop();
  expect(await redis.redis.hexists(redis.keys.processes('tasks'), 'own')).toBe(0);
});

test('counts a process elsewhere as dead once its locks have expired, and leaves its jobs to the locks', async () => {
  await addProcess('gone', 'null', 'a', Date.now() - 16_000);
  await addProcess('lives', 'null', 'b', Date.now());
  watch();
  await expect.poll(() => redis.redis.zrange(redis.keys.deaths('tasks'), '0', '-1')).toEqual(['gone|3']);
  expect([await isLocked('a'), await isLocked('b')]).toEqual([true, true]);
});

test('finds the end of a process that it knows between two notes of its own', async () => {
  const own = readOwnMark();
  if (own === null) return; // not Linux
  const child = spawn('sleep', ['60']);
  const began = await readBegan(child.pid ?? 0);
  await addProcess('ends', JSON.stringify({ ...own, pid: child.pid, began }), 'a');
  const { freed } = watch();
  await expect.poll(() => redis.redis.hexists(redis.keys.processes('tasks'), 'own')).toBe(1);
  expect(await isLocked('a')).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => freed(), { timeout: 5_000 }).toBe(1);
  expect(await isLocked('a')).toBe(false);
});

test('takes no process for dead that was silent while this one could not note itself either', async () => {
  await addProcess('lives', 'null', 'a');
  watch();
  const { redis: client, keys } = redis;
  const notedAt = async (): Promise<number> =>
    Number.parseInt((await client.hget(keys.processes('tasks'), 'own')) ?? '0', 10);
  await expect.poll(notedAt).toBeGreaterThan(0);
  const before = await notedAt();
  // Redis was away for 20 s: no process noted itself.
  await client.hset(keys.processes('tasks'), 'lives', `${Date.now() - 20_000}|null`);
  const real = performance.now.bind(performance);
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => real() + 20_000);
  redis.cleanup(() => spy.mockRestore());
  await expect.poll(notedAt, { timeout: 5_000 }).toBeGreaterThan(before);
  expect(await client.exists(keys.deaths('tasks'))).toBe(0);
  expect(await client.hexists(keys.processes('tasks'), 'lives')).toBe(1);
});

test('knows that this process lives', () => {
  const own = readOwnMark();
  if (own !== null) expect(hasEnded(own, own)).toBe(false);
});
