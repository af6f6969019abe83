import { expect, test } from 'vitest';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { promote } from '../../../src/jobs/wake/promote.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form, in real time: `npm run bench -- stall`. */
const redis = useRedis();
const MODEL = 'claude-haiku-5-5';
const PROCESSES = 2;
const SLOTS_EACH = 6;
const SLOTS = PROCESSES * SLOTS_EACH;
const TASKS = 30;
const IDLE_MS = 4_000; // on a busy machine a shorter silence is none of the provider's
/** The prompt is reported, then nothing comes. */
const STALL: Fault = { kind: 'stall', afterEvents: 1 };

/** Opens the workers, and warms up the pacer: it begins with few calls at once. */
async function open(): Promise<SimulatedFleet> {
  const simulator = { rules: 'real' as const, latencyMs: 100 };
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator });
  for (let worker = 0; worker < PROCESSES; worker += 1) {
    const env = { FLEET_CALL_IDLE_MS: String(IDLE_MS) };
    await startWorkerProcess(redis, { id: `w${worker}`, provider: fleet.simulator.url, slots: SLOTS_EACH, env });
  }
  await add(fleet, 'warm', 3);
  await waitUntil(async () => (await fleet.queue.getCompletedCount()) >= SLOTS, { what: 'some tasks' });
  return fleet;
}

async function add({ tasks }: SimulatedFleet, batch: string, turns: number): Promise<void> {
  const inputs = Array.from({ length: TASKS }, (_, i) => ({ description: `Say ${i} [[turns:${turns}]]` }));
  await tasks.addMany(inputs, { batch });
}

/** As if a minute had passed since the model was stopped: one call of it may try the provider. */
async function letProbe(fleet: SimulatedFleet): Promise<void> {
  await redis.redis.del(redis.keys.cooldown(MODEL), redis.keys.queueKey('tasks', 'limiter'));
  for (const job of await fleet.queue.getDelayed()) await promote(job);
}

const stalledCalls = ({ simulator }: SimulatedFleet): number =>
  simulator.requests().filter(({ fault }) => fault === 'stall').length;

/** Waits until so many calls have met the stall, and no job runs any more. */
async function untilAllWait(fleet: SimulatedFleet, calls: number): Promise<void> {
  await waitUntil(() => stalledCalls(fleet) >= calls, { timeoutMs: 30_000, what: `${calls} stalled calls` });
  await waitUntil(async () => (await fleet.queue.getActiveCount()) === 0, {
    timeoutMs: 30_000,
    what: 'every job waits',
  });
}

async function untilAllDone(fleet: SimulatedFleet, tasks: number): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    await letProbe(fleet);
    return (await fleet.queue.getCompletedCount()) === tasks;
  };
  await waitUntil(isDone, { timeoutMs: 60_000, what: 'the end of every task' });
}

test('a provider that stalls in the middle of tasks costs a worst case a slot and a probe, halts nothing, and all tasks finish', async () => {
  const fleet = await open();
  await add(fleet, 'stall', 3);
  fleet.simulator.setFaults([STALL]);
  await untilAllWait(fleet, 1);
  for (const _probe of [1, 2]) {
    const before = stalledCalls(fleet);
    await letProbe(fleet);
    await untilAllWait(fleet, before + 1);
    expect(stalledCalls(fleet)).toBe(before + 1);
  }
  const lost = stalledCalls(fleet);
  expect(lost).toBeLessThanOrEqual(SLOTS + 2);
  expect(await readBooks(redis)).toMatchObject({ uncertainCalls: lost, reserved: 0 });

  fleet.simulator.setFaults([]);
  await untilAllDone(fleet, 2 * TASKS);
  expect(await fleet.queue.getFailedCount()).toBe(0);
  expect(await fleet.halt.read()).toBeNull();
  const books = await readBooks(redis);
  expect(books).toMatchObject({ uncertainCalls: lost, reserved: 0, openReservations: 0 });
  expect(books.settled).toBe(fleet.simulator.served().billNanoUsd); // of a stalled call, the prompt
  const whole = fleet.simulator.requests().filter(({ fault, served }) => served && fault === null);
  expect(new Set(whole.map(({ user, turn }) => `${user} ${turn}`)).size).toBe(whole.length);
}, 150_000);

test('an answer that was on its way before the stall does not open the model again', async () => {
  const fleet = await open();
  const { id } = await fleet.tasks.add({ description: `Say it slowly [[turns:1]] [[latency:${2 * IDLE_MS}]]` });
  const slow = (): boolean => fleet.simulator.requests().some(({ user }) => user === id);
  await waitUntil(slow, { timeoutMs: 30_000, what: 'the slow call' });
  fleet.simulator.setFaults([STALL]);
  await add(fleet, 'stall', 1);
  await fleet.until(id, 'completed');
  await untilAllWait(fleet, 1);
  const lost = stalledCalls(fleet);
  expect(lost).toBeLessThan(SLOTS);
  for (const job of await fleet.queue.getDelayed()) await promote(job);
  await redis.redis.del(redis.keys.queueKey('tasks', 'limiter'));
  await untilAllWait(fleet, 1);
  expect(stalledCalls(fleet)).toBe(lost);

  fleet.simulator.setFaults([]);
  await untilAllDone(fleet, 2 * TASKS + 1);
  expect(await fleet.queue.getFailedCount()).toBe(0);
  expect(await fleet.halt.read()).toBeNull();
}, 150_000);

test('a provider that answers once between two stalls fails no task: each silence was of all', async () => {
  const fleet = await open();
  await add(fleet, 'stall', 1);
  fleet.simulator.setFaults([STALL]);
  await untilAllWait(fleet, 2);
  const first = fleet.simulator.requests().filter(({ fault }) => fault === 'stall');

  fleet.simulator.setFaults([{ kind: 'slow-headers', delayMs: 0, times: 1 }, STALL]); // its kind does nothing
  await letProbe(fleet);
  const areSilentAgain = async (): Promise<boolean> => {
    for (const job of await fleet.queue.getDelayed()) await promote(job);
    const calls = fleet.simulator.requests().filter(({ fault }) => fault === 'stall');
    const again = calls.slice(first.length).filter(({ user }) => first.some((call) => call.user === user));
    return again.filter(({ finishedAt }) => finishedAt !== null).length > 1;
  };
  await waitUntil(areSilentAgain, { timeoutMs: 30_000, what: 'calls that are silent for the second time' });
  await untilAllWait(fleet, first.length + 2);

  fleet.simulator.setFaults([]);
  await untilAllDone(fleet, 2 * TASKS);
  expect(await fleet.queue.getFailedCount()).toBe(0);
}, 150_000);
