import { expect, test } from 'vitest';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';
const STALL: Fault = { kind: 'stall', when: { promptIncludes: 'the slow one' } };

/** A minute after the model was stopped, with the queue if no other model is in use. */
async function letProbe(fleet: SimulatedFleet): Promise<void> {
  await redis.redis.del(redis.keys.cooldown(MODEL), redis.keys.queueKey('tasks', 'limiter'));
  for (const job of await fleet.queue.getDelayed()) await job.promote().catch(() => undefined);
}

/** Runs a job that waits for its next try. */
async function tryAgain(fleet: SimulatedFleet, id: string): Promise<void> {
  await fleet.until(id, 'delayed');
  await (await fleet.bullJob(id)).promote();
}

/** Waits until so many calls of a job have ended in silence. */
async function untilSilent(fleet: SimulatedFleet, id: string, calls: number): Promise<void> {
  const isSilent = async (): Promise<boolean> => (await fleet.logs(id)).split('nothing arrived').length === calls + 1;
  await waitUntil(isSilent, { what: `${calls} silent calls` });
}

const countFor = (fleet: SimulatedFleet, id: string): number =>
  fleet.simulator.requests().filter((record) => record.user === id).length;

test('a call that is not whole in time twice fails as timeout, and a retry goes on where it stood', async () => {
  const faults: Fault[] = [{ kind: 'pings-only', delayMs: 50, when: { turn: 1 } }];
  const fleet = await useSimulatedFleet(redis, { env: { FLEET_CALL_TIMEOUT_MS: '1000' }, simulator: { faults } });
  const id = await fleet.add('Say hello [[turns:3]]');
  await tryAgain(fleet, id);
  const failed = await fleet.until(id, 'failed');
  expect(failed.failedReason).toMatch(
    /^timeout: claude-haiku-5-5: no complete reply within 1000 ms, for the second time; raise FLEET_CALL_TIMEOUT_MS/,
  );
  expect(countFor(fleet, id)).toBe(3);
  expect(await fleet.counters()).toMatchObject({ failed_timeout: '1', waits_unavailable: '1' });

  await failed.retry();
  await fleet.until(id, 'delayed'); // for a new attempt this is the first time
  fleet.simulator.setFaults([]);
  await (await fleet.bullJob(id)).promote();
  await fleet.until(id, 'completed');
  const whole = fleet.simulator.requests().filter((record) => record.fault === null);
  expect(whole.map((record) => record.turn)).toEqual([0, 1, 2]); // turn 0 was replayed each time
});

test('a call that is silent while the model answers nothing is an outage, and waits', async () => {
  const fleet = await useSimulatedFleet(redis, { env: { FLEET_CALL_IDLE_MS: '1000' }, simulator: { faults: [STALL] } });
  const id = await fleet.add('Say the slow one');
  for (const tries of [1, 2, 3]) {
    await untilSilent(fleet, id, tries);
    if (tries === 3) fleet.simulator.setFaults([]);
    await letProbe(fleet);
  }
  await fleet.until(id, 'completed');
  expect((await readBooks(redis)).uncertainCalls).toBe(3);
});

test('a provider that stalls costs each slot one worst case and a probe a minute, and all tasks finish afterwards', async () => {
  const slots = 12;
  const fleet = await useSimulatedFleet(redis, {
    slots,
    env: { FLEET_CALL_IDLE_MS: '1000' },
  });
  const first = await fleet.add('Say hello'); // its answer lets the pacer begin as many calls as there are slots
  await fleet.until(first, 'completed');
  fleet.simulator.clearLog();
  fleet.simulator.setFaults([{ kind: 'stall', afterEvents: 0 }]);
  const ids = [first, ...(await Promise.all(Array.from({ length: 30 }, (_, i) => fleet.add(`Say ${i}`))))];
  const untilAllWait = async (calls: number): Promise<void> => {
    await waitUntil(() => fleet.simulator.requests().length === calls, { what: `${calls} calls` });
    await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'every job waits' });
    expect(fleet.simulator.requests()).toHaveLength(calls);
  };
  await untilAllWait(slots);
  await letProbe(fleet);
  await untilAllWait(slots + 1);
  expect((await readBooks(redis)).uncertainCalls).toBe(slots + 1);

  fleet.simulator.setFaults([]);
  await letProbe(fleet);
  const areAllDone = async (): Promise<boolean> => {
    await letProbe(fleet);
    return (await fleet.queue.getCompletedCount()) === ids.length;
  };
  await waitUntil(areAllDone, { timeoutMs: 60_000, what: 'every job is completed' });
  expect(await fleet.queue.getFailedCount()).toBe(0);
  expect(await fleet.halt.read()).toBeNull();
  expect((await readBooks(redis)).uncertainCalls).toBe(slots + 1);
}, 90_000);

test('a time limit that is noted twice, because the connection broke, is one', async () => {
  const { scripts, keys } = redis.db;
  await redis.redis.hset(keys.turns('job'), 'epoch', '0');
  const places = { turns: keys.turns('job'), outage: keys.outage(MODEL), outageRow: keys.outageRow(MODEL) };
  const note = (nonce: string, place = '0:1') => scripts['note-timeout'](places, [place, 'total', nonce, 0]);
  expect([await note('a'), await note('a'), await note('b'), await note('b')]).toEqual([
    'first',
    'first',
    'repeated',
    'repeated',
  ]);
  expect(await note('c', '0:2')).toBe('first');
});

test('a provider slower than the limit of a call is paid at most twice a task, and not for every task', async () => {
  const fleet = await useSimulatedFleet(redis, {
    slots: 4,
    env: { FLEET_CALL_TIMEOUT_MS: '1000' },
    simulator: { latencyMs: 1_500 },
  });
  await Promise.all(Array.from({ length: 30 }, (_, i) => fleet.add(`Say ${i}`)));
  const isStopped = async (): Promise<boolean> => (await redis.redis.exists(redis.keys.cooldown(MODEL))) === 1;
  await waitUntil(isStopped, { what: 'the model is stopped', timeoutMs: 30_000 });
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, { what: 'no call' });
  // Ten failures in a row stop the model, and with them the calls that were under way.
  expect(fleet.simulator.requests().length).toBeLessThanOrEqual(10 + 4);
}, 60_000);
