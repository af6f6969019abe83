import { WaitingError } from 'bullmq';
import { expect, test } from 'vitest';
import { TaskFailedError } from '../../../src/errors.ts';
import { fail } from '../../../src/jobs/outcomes/failure.ts';
import type { ThrownRun } from '../../../src/jobs/outcomes/types.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test.each([
  ['another worker has it', 'other'],
  ['another worker has ended it', null],
])('records no failure of a job whose lock was lost: %s', async (_, holder) => {
  const { keys, redis: admin } = redis;
  const fleet = await useFleet(redis);
  await fleet.tasks.addMany([{ description: 'slow' }], { batch: 'b' });
  if (holder !== null) await admin.set(keys.jobLock('tasks', 'b-1'), holder);
  const parts = { db: redis.db, workerId: 'w' } as ThrownRun['parts'];
  const run = { job: await fleet.bullJob('b-1'), token: 'mine', parts };

  expect(await fail(new TaskFailedError('schema', 'no number'), run)).toBeInstanceOf(WaitingError);
  expect(await admin.smembers(keys.batchFailed('b'))).toEqual([]);
  expect(await admin.exists(keys.counters)).toBe(0);
});
