import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { QuarantinedError, ShutdownError } from '../../../src/errors.ts';
import { createActiveRun, type ActiveRun } from '../../../src/jobs/worker/active-run.ts';
import { SuspectGuard } from '../../../src/jobs/worker/suspect-guard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const TOOL = 'in tool run of turn 0';

/** A run of a job whose worker died so often; the job is in no queue. */
function runOf(id: string, stalledCounter: number): ActiveRun {
  return createActiveRun({ id, stalledCounter, queueName: 'tasks' } as Job, 'token');
}

/** A guard of one process with these other runs, and whether its worker takes further jobs. */
function createGuard(others: ActiveRun[] = []): { guard: SuspectGuard; isAlone: () => boolean } {
  let alone = false;
  const guard = new SuspectGuard({
    db: redis.db,
    readProgress: undefined,
    othersOf: () => others,
    setAlone: (value) => (alone = value),
  });
  return { guard, isAlone: () => alone };
}

/** Runs the job after each of these deaths. @param places where each run is when its worker dies; null: it waits */
async function die(id: string, places: readonly (string | null)[]): Promise<void> {
  for (const [i, place] of places.entries()) {
    await createGuard().guard.admit(runOf(id, i + 1));
    if (place !== null) await redis.redis.hset(redis.keys.crashes(id), 'now', place);
  }
}

/** Other processes of the queue that died a moment ago. */
async function addDeaths(count: number, alive: number): Promise<void> {
  const now = await redis.redis.time();
  for (let i = 0; i < count; i += 1) {
    const at = Number(now[0]) * 1_000 - i * 1_000;
    await redis.redis.zadd(redis.keys.deaths('tasks'), at, `dead-${i}|${alive}`);
  }
  for (let i = 0; i < alive; i += 1) await redis.redis.hset(redis.keys.processes('tasks'), `live-${i}`, '0|null');
}

test('a job whose workers died while it waited, or at other places each time, runs beside others', async () => {
  const { guard, isAlone } = createGuard([runOf('other', 0)]);
  await die('waits', [null, null, null, null]);
  await guard.admit(runOf('waits', 5));
  await die('moves', ['0|at its beginning', `0|${TOOL}`, '1|in the call of turn 1']);
  await guard.admit(runOf('moves', 4));
  expect([guard.isBusy, isAlone()]).toEqual([false, false]);
});

test('a job whose workers died twice at one place waits for the others, then runs alone, and makes them wait', async () => {
  const other = runOf('other', 0);
  const { guard, isAlone } = createGuard([other]);
  await die('a', [`0|${TOOL}`, `0|${TOOL}`]);
  const suspect = runOf('a', 3);
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

test('three deaths soon after a job came to a place quarantine it, with the place', async () => {
  await die('a', [null, `0|${TOOL}`, `1|${TOOL}`, `0|${TOOL}`]);
  const admitting = createGuard().guard.admit(runOf('a', 5));
  await expect(admitting).rejects.toThrow(
    new QuarantinedError('its worker died 5 times while it ran and came no further, 3 times in tool run of turn 0'),
  );
  await createGuard().guard.admit(runOf('a', 5)); // a retry by a person
});

test('more deaths are needed where processes die often, and where the job was long at the place', async () => {
  await addDeaths(60, 4);
  await die('often', Array<string>(7).fill(`0|${TOOL}`));
  await createGuard().guard.admit(runOf('often', 8));
  await redis.redis.hset(redis.keys.crashes('often'), 'now', `0|${TOOL}`);
  await expect(createGuard().guard.admit(runOf('often', 9))).rejects.toThrow(QuarantinedError);

  // Of the deaths of this job, the early ones count alone; a step of an older version is its longest time.
  await die('early', [`125ms|${TOOL}`, `3|${TOOL}`, ...Array<string>(5).fill(`125ms|${TOOL}`)]);
  await createGuard().guard.admit(runOf('early', 8));
  await redis.redis.hset(redis.keys.crashes('early'), 'now', `125ms|${TOOL}`);
  await expect(createGuard().guard.admit(runOf('early', 9))).rejects.toThrow(QuarantinedError);

  await redis.redis.del(redis.keys.deaths('tasks'));
  await die('long', Array<string>(3).fill(`7|${TOOL}`));
  await createGuard().guard.admit(runOf('long', 4));
});

test('a run that gave its job back, and progress, do not add to the deaths', async () => {
  await die('back', [`0|${TOOL}`, `0|${TOOL}`]);
  await createGuard().guard.admit(runOf('back', 3));
  for (let run = 0; run < 5; run += 1) await createGuard().guard.admit(runOf('back', 3));

  await die('moving', [`0|${TOOL}`, `0|${TOOL}`]);
  for (let turn = 0; turn < 3; turn += 1) {
    await redis.redis.hset(redis.keys.crashes('moving'), 'now', `0|${TOOL}`);
    await redis.redis.hset(redis.keys.turns('moving'), `r:0:${turn}`, '{}');
    await createGuard().guard.admit(runOf('moving', 3 + turn));
  }
});

test('a job whose workers die at ever other places is quarantined in the end', async () => {
  const places = Array.from({ length: 39 }, (_, i) => `9|place ${i}`);
  await die('a', places);
  await expect(createGuard().guard.admit(runOf('a', 40))).rejects.toThrow(/^its worker died 40 times/);
});
