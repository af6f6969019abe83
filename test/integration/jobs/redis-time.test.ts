import { afterEach, expect, it, vi } from 'vitest';
import { connectQueue } from '../../../src/jobs/connect-queue.ts';
import { delayJob } from '../../../src/jobs/redis-time.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HOUR_MS = 3_600_000;
const DELAY_MS = 700;
const realNow = Date.now.bind(Date);

/** Sets the clock of this process off. Timers, and Redis, go on. */
async function setClockOff(aheadMs: number): Promise<void> {
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
  await redis.db.clock.sync();
}

afterEach(() => vi.restoreAllMocks());

it.each([2 * HOUR_MS, -26 * HOUR_MS])(
  'a worker whose clock is off by %d ms starts a delayed job when it is due, and stamps it with Redis’ time',
  async (aheadMs) => {
    await setClockOff(aheadMs);
    const fleet = await useSimulatedFleet(redis);
    const addedAt = performance.now();
    const [addedAtMs, description] = [realNow(), 'Say hello [[turns:1]]'];
    await fleet.queue.add('task', { description }, { jobId: 'late', delay: DELAY_MS });
    await fleet.until('late', 'completed');
    expect(performance.now() - addedAt).toBeGreaterThanOrEqual(DELAY_MS - 100); // clocks are known to some ms
    const job = await fleet.queue.getJob('late');
    for (const at of [job?.timestamp, job?.processedOn, job?.finishedOn]) {
      expect(Math.abs((at ?? 0) - addedAtMs)).toBeLessThan(60_000);
    }
  },
);

it.each([2 * HOUR_MS, -26 * HOUR_MS])('delays a job to an instant of Redis’ clock, %d ms off', async (aheadMs) => {
  await setClockOff(aheadMs);
  const queue = connectQueue('tasks', redis.db);
  redis.cleanup(() => queue.close());
  await queue.add('task', { description: 'x' }, { jobId: 'a' });
  const { id = '' } = await takeJob(redis, 'tasks');
  const job = await queue.getJob(id);
  if (job === undefined) throw new Error('no job');
  await delayJob(job, 'token', HOUR_MS);
  const score = Number(await redis.redis.zscore(redis.keys.queueKey('tasks', 'delayed'), id));
  expect(Math.abs(Math.floor(score / 0x1000) - realNow() - HOUR_MS)).toBeLessThan(10_000);
});
