import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { QuarantinedError, ShutdownError } from '../../../src/errors.ts';
import { createActiveRun, type ActiveRun } from '../../../src/jobs/worker/active-run.ts';
import { SuspectGuard } from '../../../src/jobs/worker/suspect-guard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** A run of a job whose worker died so often; the job is in no queue. */
function runOf(id: string, stalledCounter: number): ActiveRun {
  return createActiveRun({ id, stalledCounter } as Job, 'token');
}

/** A guard of one process with these other runs, and whether its worker takes further jobs. */
function createGuard(others: ActiveRun[]): { guard: SuspectGuard; isAlone: () => boolean } {
  let alone = false;
  const guard = new SuspectGuard({
    db: redis.db,
    readProgress: undefined,
    othersOf: () => others,
    setAlone: (value) => (alone = value),
  });
  return { guard, isAlone: () => alone };
}

test('a job whose worker died once runs beside others', async () => {
  const { guard, isAlone } = createGuard([runOf('other', 0)]);
  await guard.admit(runOf('a', 1));
  expect([guard.isBusy, isAlone()]).toEqual([false, false]);
});

test('a job whose worker died twice waits for the others, then runs alone, and makes them wait', async () => {
  const other = runOf('other', 0);
  const { guard, isAlone } = createGuard([other]);
  await guard.admit(runOf('a', 1));
  const suspect = runOf('a', 2);
  let admitted = false;
  const admitting = guard.admit(suspect).then(() => (admitted = true));
  await expect.poll(() => isAlone()).toBe(true);
  expect([guard.mustMakeRoom(other), guard.mustMakeRoom(suspect), admitted]).toEqual([true, false, false]);
  expect(() => guard.assertFree()).toThrow(ShutdownError);

  other.end();
  await admitting;
  guard.release(other);
  expect(isAlone()).toBe(true);
  guard.release(suspect);
  expect([guard.isBusy, isAlone()]).toEqual([false, false]);
});

test('a death while the suspect waits for the others is not counted, one while it runs alone quarantines it', async () => {
  const { guard } = createGuard([]);
  await guard.admit(runOf('a', 1));
  const other = runOf('other', 0);
  void createGuard([other]).guard.admit(runOf('a', 2)); // its process dies before the other run ends
  await expect.poll(() => redis.redis.hget(redis.keys.crashBase, 'a')).toBe('1:0');

  await guard.admit(runOf('a', 3));
  expect(guard.isBusy).toBe(true);
  await expect(createGuard([]).guard.admit(runOf('a', 4))).rejects.toThrow(QuarantinedError);
});
