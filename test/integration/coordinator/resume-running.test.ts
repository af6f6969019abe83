import { expect, test } from 'vitest';
import type { MissionInput } from '../../../queues/missions.ts';
import { addMission } from '../../../src/coordinator/mission/enqueue.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { parkMission } from '../../../src/coordinator/control/park.ts';
import { resumeMission } from '../../../src/coordinator/control/resume.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { createMissionModel, titleOf } from '../../support/models/mission-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';

const redis = useRedis();
const ID = 'mission-a';
const ITEMS = Array.from({ length: 30 }, (_, i) => `item ${i}`);

/** A coordinator and a worker of three slots on one scripted model; the mission is under way. */
async function openMissionFleet(
  input: Partial<MissionInput>,
  onTask: (count: number) => Promise<void> = async () => undefined,
) {
  const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ITEMS }]);
  let tasks = 0;
  const call = model.call.bind(model);
  const counted: typeof model = {
    ...model,
    async call(request, options) {
      if (titleOf(request) === '') await onTask((tasks += 1));
      return call(request, options);
    },
  };
  const fleet = await useFleet(redis, {
    env: { FLEET_HAIKU_CONCURRENCY: '3', FLEET_BUDGET_USD: '100' },
    config: { shards: [] },
    coordinator: counted,
    haiku: counted,
  });
  const parts = { ...fleet.inner, configured: toConfigured({ FLEET_WORKSPACES: {}, models: [] }) };
  await addMission(parts, { goal: 'Find out.', ...input }, { missionId: ID, session: 's' });
  return { fleet, model, parts: { ...fleet.inner, halt: fleet.halt } };
}

async function untilDone(fleet: OpenFleet): Promise<void> {
  const { db } = fleet.inner;
  await waitUntil(async () => (await readMission(db, ID))?.state === 'done', {
    what: 'the end of the mission',
    timeoutMs: 20_000,
  });
}

function countCalls(model: ReturnType<typeof createMissionModel>): Record<string, number> {
  const titles = model.calls.map((request) => titleOf(request) || 'task');
  return Object.fromEntries(
    ['plan', 'task', 'synthesis'].map((title) => [title, titles.filter((one) => one === title).length]),
  );
}

test('a mission that is parked in mid-work and resumed is done, with no call made twice', async () => {
  let park: () => Promise<unknown> = async () => undefined;
  const { fleet, model, parts } = await openMissionFleet({}, async (count) => {
    if (count === 5) await park();
  });
  park = () => parkMission(parts, ID, 'ada@box');
  const { queues } = fleet.inner;
  const { redis: connection, keys } = fleet.inner.db;
  const rest = async (): Promise<boolean> => {
    const done = await connection.zcard(keys.index);
    return done > 0 && done + (await connection.hlen(keys.parked)) === ITEMS.length;
  };
  await waitUntil(rest, { what: 'every task done or parked' });
  expect(await queues.tasks.getFailedCount()).toBe(0);
  expect(countCalls(model)).toMatchObject({ synthesis: 0 });

  await resumeMission(parts, ID, null, 'ada@box');
  await untilDone(fleet);
  expect(countCalls(model)).toEqual({ plan: 1, task: ITEMS.length, synthesis: 1 });
  expect(await connection.hlen(keys.parked)).toBe(0);
});

test('a mission parked before its plan makes no call until it is resumed', async () => {
  const { fleet, model, parts } = await openMissionFleet({ budget_usd: 0.000_001 });
  const { db, queues } = fleet.inner;
  const { redis: connection, keys } = db;
  await waitUntil(async () => (await queues.missions.getJobState(ID)) === 'delayed', { what: 'the parked mission' });
  expect(await connection.hexists(keys.parked, ID)).toBe(1);
  expect(model.calls).toEqual([]);

  await parkMission(parts, ID, 'ada@box');
  await setBudget(db, 50, { mission: ID });
  await releaseParked(parts, { scope: 'mission', name: ID });
  await waitUntil(async () => (await queues.missions.getJobState(ID)) === 'delayed', { what: 'it is set aside again' });
  expect(model.calls).toEqual([]);

  await resumeMission(parts, ID, 'retry', 'ada@box');
  await untilDone(fleet);
  expect(countCalls(model)).toEqual({ plan: 1, task: ITEMS.length, synthesis: 1 });
});

test('a mission whose money ends in mid-work goes on where it stood when it gets more', async () => {
  let poor: () => Promise<unknown> = async () => undefined;
  const { fleet, model, parts } = await openMissionFleet({ budget_usd: 50 }, async (count) => {
    if (count === 10) await poor();
  });
  const { db, queues } = fleet.inner;
  const { redis: connection, keys } = db;
  poor = () => setBudget(db, 0.000_001, { mission: ID });
  const rest = async (): Promise<boolean> => {
    const done = await connection.zcard(keys.index);
    return done > 0 && done + (await connection.hlen(keys.parked)) === ITEMS.length;
  };
  await waitUntil(rest, { what: 'every task done or parked' });
  expect(await queues.tasks.getFailedCount()).toBe(0);

  await setBudget(db, 50, { mission: ID });
  expect(await releaseParked(parts, { scope: 'mission', name: ID })).toBeGreaterThan(0);
  await untilDone(fleet);
  expect(countCalls(model)).toEqual({ plan: 1, task: ITEMS.length, synthesis: 1 });
});

test('a halt in mid-mission loses nothing, and lifting it repeats nothing', async () => {
  let stop: () => Promise<unknown> = async () => undefined;
  const { fleet, model } = await openMissionFleet({}, async (count) => {
    if (count === 5) await stop();
  });
  stop = () => fleet.halt.halt({ reason: 'person', step: '', by: 'ada@box', detail: 'a look around' });
  const { queues } = fleet.inner;
  await waitUntil(async () => (await fleet.halt.read()) !== null && (await queues.tasks.getActiveCount()) === 0, {
    what: 'a fleet that stands still',
  });
  await fleet.halt.resume();
  await untilDone(fleet);
  expect(countCalls(model)).toEqual({ plan: 1, task: ITEMS.length, synthesis: 1 });
});
