import { expect, test } from 'vitest';
import { watchStuckWorker } from '../../../src/jobs/worker/stuck-worker.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** A queue with one waiting job and no worker, and how often the watch has checked it. */
async function watchWaiting(
  free: boolean,
  { heldBack = false, paused = false } = {},
): Promise<{ stuck: () => boolean; looks: () => number }> {
  const queue = await openBareQueue(redis, 'tasks');
  if (paused) await queue.pause();
  await queue.add('task', { description: 'waits' });
  let stuck = false;
  let looks = 0;
  const stop = watchStuckWorker({
    queue,
    isFree: () => {
      looks += 1;
      return free;
    },
    lastStartAt: () => 0,
    isHeldBack: async () => heldBack,
    onStuck: () => (stuck = true),
    log: createLogger('test', 'silent'),
    lookEveryMs: 10,
    stuckAfterMs: 50,
  });
  redis.cleanup(stop);
  return { stuck: () => stuck, looks: () => looks };
}

test('finds a worker stuck that has a free slot while jobs wait', async () => {
  const { stuck } = await watchWaiting(true);
  expect(await waitUntil(stuck)).toBe(true);
});

test('leaves a worker alone whose slots are all busy', async () => {
  const { stuck, looks } = await watchWaiting(false);
  await waitUntil(() => looks() > 20); // four times as long as a stuck worker takes to be noticed
  expect(stuck()).toBe(false);
});

test('leaves a worker alone whose queue is paused', async () => {
  const { stuck, looks } = await watchWaiting(true, { paused: true });
  await waitUntil(() => looks() > 25);
  expect(stuck()).toBe(false);
});

test('leaves a worker alone while the fleet is halted', async () => {
  const { stuck, looks } = await watchWaiting(true, { heldBack: true });
  await waitUntil(() => looks() > 25);
  expect(stuck()).toBe(false);
});
