import { expect, test } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form, a plan of 290 s in real time: `npm run bench -- long-plan`. */
const redis = useRedis();
const PLANNER = 'claude-sonnet-5-5';
/** A call may take longer than this, as long as events arrive. */
const IDLE_MS = 2_500;
const PLAN_MS = 2 * IDLE_MS; // the first event comes after three tenths of it
const TASKS = 3;

test('a plan that takes longer than the idle limit arrives, though its coordinator is asked to leave, and is paid once', async () => {
  const latencyMs = { [PLANNER]: PLAN_MS, 'claude-haiku-5-5': 20 };
  const fleet = await useSimulatedFleet(redis, { simulator: { rules: 'real', latencyMs } });
  const { simulator } = fleet;
  const startCoordinator = (id: string) => {
    const env = { FLEET_CALL_IDLE_MS: String(IDLE_MS) };
    return startWorkerProcess(redis, { id, kind: 'coordinator', provider: simulator.url, env });
  };
  const leaving = await startCoordinator('leaving');
  const mission = await fleet.missions.add({ goal: `Check it. [[tasks:${TASKS}]]` }, { missionId: 'm' });
  const planCalls = () => simulator.requests().filter(({ model }) => model === PLANNER);
  await waitUntil(() => planCalls()[0]?.status === 200, { timeoutMs: 60_000, what: 'the first event of the plan' });

  expect(await leaving.end('SIGTERM')).toEqual({ code: 0, signal: null });
  const [call] = planCalls();
  expect(call).toMatchObject({ served: true, clientGone: false });
  expect((call?.finishedAt ?? 0) - (call?.startedAt ?? 0)).toBeGreaterThan(IDLE_MS);
  expect((await readBooks(redis)).uncertainCalls).toBe(0);

  simulator.setLatency(20);
  await startCoordinator('next');
  await mission.finding();
  expect(await readMission(redis.db, 'm')).toMatchObject({ state: 'done', counts: { done: TASKS } });
  expect(planCalls()).toHaveLength(2); // the plan, the synthesis
  const books = await readBooks(redis);
  expect(books).toMatchObject({ ledgerCalls: 2 + TASKS, uncertainCalls: 0, reserved: 0 });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
}, 90_000);
