import { expect, test } from 'vitest';
import { noteFailure } from '../../../src/halt/error-rate.ts';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
import { noteRound } from '../../../src/coordinator/mission/progress-guard.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SAY_NO = 'Say no [[refuse]]';

function addMany(fleet: SimulatedFleet, count: number, description: string): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => fleet.add(description)));
}

test('halts when half of what ended failed, with counts and ids as evidence, and leaves the rest waiting', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 2 });
  const ids = await addMany(fleet, 40, SAY_NO);
  const halt = await waitUntil(() => fleet.halt.read(), { what: 'the halt' });
  expect(halt).toMatchObject({ reason: 'error-rate' });
  expect(halt?.detail).toMatch(
    /^(2\d) of \1 jobs that ended in the last 10 minutes failed \(100 %\): \1 refusal; for example /,
  );
  expect(ids.filter((id) => halt?.detail.includes(id))).toHaveLength(3);
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'a fleet that stands still' });
  const { waiting = 0, failed = 0 } = await fleet.queue.getJobCounts('waiting', 'failed');
  expect(waiting + failed).toBe(40);
  expect(failed).toBeLessThan(25); // the running ones ended, and no other began
});

test('failures a person has seen do not halt again', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 10 });
  await addMany(fleet, 20, SAY_NO);
  await waitUntil(() => fleet.halt.read(), { what: 'the halt' });
  await fleet.halt.resume();
  for (const id of await addMany(fleet, 5, SAY_NO)) await fleet.until(id, 'failed');
  expect(await fleet.halt.read()).toBeNull();
});

test('does not halt while more jobs end well than fail', async () => {
  const fleet = await useSimulatedFleet(redis, { slots: 10 });
  for (const id of await addMany(fleet, 25, 'Say yes')) await fleet.until(id, 'completed');
  for (const id of await addMany(fleet, 24, SAY_NO)) await fleet.until(id, 'failed');
  expect(await fleet.halt.read()).toBeNull();
});

test.each(['cancelled', 'invalid-job', 'handed-back', 'finding-taken', 'no-evidence'])(
  'does not count jobs that failed as %s',
  async (reason) => {
    const fleet = await useSimulatedFleet(redis, { workers: 0 });
    const parts = { db: redis.db, halt: fleet.halt, workerId: 'w' };
    for (let i = 0; i < 50; i += 1) await noteFailure(parts, { jobId: `job-${i}`, reason });
    expect(await fleet.halt.read()).toBeNull();
  },
);

test('does not count failures of more than ten minutes ago, nor one job twice', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const parts = { db: redis.db, halt: fleet.halt, workerId: 'w' };
  const { recentFailures } = redis.keys;
  for (let i = 0; i < 19; i += 1) await redis.redis.zadd(recentFailures, Date.now() - 11 * 60_000, `tool|old-${i}`);
  for (let i = 0; i < 40; i += 1) await noteFailure(parts, { jobId: `new-${i % 19}`, reason: 'tool' });
  expect(await fleet.halt.read()).toBeNull();
});

test('three rounds of a mission without a finding halt the fleet, and the halt names the mission', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const parts = { db: redis.db, halt: fleet.halt, workerId: 'w' };
  const round = (newFindings: number, ended: number): Promise<boolean> =>
    noteRound(parts, { missionId: 'mission-a', newFindings, ended });
  await round(0, 1);
  await round(0, 2);
  await round(1, 3); // a finding begins the count anew
  await round(0, 4);
  await round(0, 5);
  await round(0, 5); // the same round, after a crash
  expect(await fleet.halt.read()).toBeNull();
  expect(await round(0, 6)).toBe(true);
  expect(await fleet.halt.read()).toMatchObject({ reason: 'no-progress', mission: 'mission-a' });
});

test('a halt that a mission caused, and its end, are announced and stand in the log of the mission’s job', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { missions } = fleet.inner.queues;
  await missions.add('mission', { goal: 'learn' }, { jobId: 'mission-b' });
  const told: object[] = [];
  const notifier = { notify: (_: string, notice: object) => told.push(notice), flush: async () => undefined };
  const halt = createHaltSwitch(redis.db, Object.values(fleet.inner.queues), { notifier });
  await halt.halt({
    reason: 'shard',
    step: 'section 2',
    by: 'w',
    detail: 'shard 3: key refused',
    mission: 'mission-b',
  });
  await halt.resume('ada@box');
  const { logs } = await missions.getJobLogs('mission-b');
  expect(logs).toEqual([
    expect.stringMatching(/halted the fleet: shard\. shard 3: key refused \(w\)$/) as string,
    expect.stringMatching(/the halt is lifted by ada@box$/) as string,
  ]);
  expect(told).toMatchObject([
    { event: 'halt', reason: 'shard', mission: 'mission-b' },
    { event: 'resume', reason: 'shard', by: 'ada@box' },
  ]);
});

test('what is no id never stands in a command that a person copies', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  await redis.redis.set(redis.keys.haltReason, JSON.stringify({ reason: 'shard', mission: 'x; rm -rf y' }));
  const halt = await fleet.halt.read();
  expect(halt).toMatchObject({ reason: 'shard' });
  expect(halt).not.toHaveProperty('mission');
});
