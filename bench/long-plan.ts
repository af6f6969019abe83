import { setTimeout as sleep } from 'node:timers/promises';
import { readMissionFields } from '../src/coordinator/mission/record.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { readBudget } from '../src/ledger/budget.ts';
import type { AnthropicSimulator } from '../simulator/anthropic/server.ts';
import { startFleetProcess } from './fleet-process.ts';
import { PLAN_CALL_MS, startLimitedProvider, START_TIER } from './limited-provider.ts';
import type { Measure } from './measure.ts';
import { readScale, toCallLimits } from './scale.ts';
import { startScratchRedis } from './scratch-redis.ts';

const PLANNER = 'claude-sonnet-5-5';
const WORKER_CALL_MS = 3_000;
const TASKS = 5;
/** Longest time of the mission besides its plan call, ms. */
const GIVE_UP_MS = 3 * 60_000;
const LOOK_EVERY_MS = 100;

/**
 * Measures a mission of real processes whose plan takes the planner 290 s: the call must arrive, and be paid once. The provider's
 * times and the fleet's limits of a call are divided by BENCH_SCALE.
 */
export async function measureLongPlan(): Promise<Measure[]> {
  const scale = readScale();
  const redis = await startScratchRedis();
  const latencyMs = { [PLANNER]: PLAN_CALL_MS, 'claude-haiku-5-5': WORKER_CALL_MS };
  const provider = await startLimitedProvider({ limits: START_TIER, latencyMs, scale });
  const settings = { FLEET_SWARM: 'long-plan', ANTHROPIC_BASE_URL: provider.url, ...toCallLimits(scale) };
  const env = redis.env(settings);
  const fleet = await openFleet(redis.config(settings));
  const processes = await Promise.all((['coordinator', 'haiku'] as const).map((name) => startFleetProcess(name, env)));
  try {
    const measures = await plan(fleet, provider.simulator, PLAN_CALL_MS / scale);
    return [{ name: 'times faster than real (BENCH_SCALE), 1: real time', value: scale, unit: 'ratio' }, ...measures];
  } finally {
    await Promise.all(processes.map((process) => process.end('SIGTERM')));
    await fleet.close();
    await provider.close();
    await redis.stop();
  }
}

/** Runs one mission. Only its plan takes long. @param callMs of the plan, in this run */
async function plan(fleet: OpenFleet, simulator: AnthropicSimulator, callMs: number): Promise<Measure[]> {
  const { db } = fleet.inner;
  const { id } = await fleet.missions.add({ goal: `Check it. [[tasks:${TASKS}]]` });
  const readState = async (): Promise<[state: string, step: string]> => {
    const [state = '', step = ''] = await readMissionFields(db, id, 'state', 'step');
    return [String(state), String(step)];
  };
  await until(async () => ['delegate', 'wait'].includes((await readState())[1]), callMs, 'the plan');
  const own = simulator.requests().filter(({ model, served }) => model === PLANNER && served);
  const atPlan = await readBudget(db, null, new Date());
  simulator.setLatency(0); // the synthesis is another call
  await until(async () => (await readState())[0] !== 'running', 0, 'the end of the mission');
  const [state] = await readState();
  const { settled, uncertain, reserved } = await readBudget(db, null, new Date());
  const bill = simulator.served().billNanoUsd;
  const [call] = own;
  return [
    {
      name: `a plan of ${PLAN_CALL_MS / 1000} s: calls until it arrived`,
      value: own.length,
      unit: 'calls',
      bar: { exactly: 1 },
    },
    { name: '  time of that call', value: (call?.finishedAt ?? Number.NaN) - (call?.startedAt ?? 0), unit: 'ms' },
    { name: '  uncertain when it had arrived', value: atPlan.uncertain / 1e9, unit: 'USD', bar: { exactly: 0 } },
    { name: '  missions done', value: state === 'done' ? 1 : 0, unit: 'findings', bar: { exactly: 1 } },
    {
      name: '  uncertain or reserved at the end',
      value: (uncertain + reserved) / 1e9,
      unit: 'USD',
      bar: { exactly: 0 },
    },
    { name: "  booked / the provider's bill", value: settled / bill, unit: 'ratio', bar: { exactly: 1 } },
  ];
}

/** @throws Error that names what did not come */
async function until(isTrue: () => Promise<boolean>, callMs: number, what: string): Promise<void> {
  const deadline = Date.now() + callMs + GIVE_UP_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: did not come`);
    await sleep(LOOK_EVERY_MS);
  }
}
