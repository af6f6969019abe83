import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet } from '../src/api/open-fleet.ts';
import { startFleetProcess } from './fleet-process.ts';
import { FIRST_TIER, START_TIER, startLimitedProvider, toFiveCallTask } from './limited-provider.ts';
import type { Measure } from './measure.ts';
import type { AccountLimits, AccountReading } from './read-account.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const PROCESSES = 2;
const RUN_MS = 180_000;
const MINUTE_MS = 60_000;
/** Some accounts are limited over spans as short as this. */
const SHORT_BURST_MS = 6_000;

interface Setup {
  name: string;
  limits: AccountLimits;
  burstMs: number;
  slots: number;
  tasks: number;
  /** Calls of which one may be refused. */
  oneOf: number;
  /** Whether the limits bind; else the slots do, or this machine. */
  mustUse: boolean;
}

const SMALL = { limits: FIRST_TIER, slots: 40, tasks: 200, oneOf: 200, mustUse: true };
const USUAL = { limits: START_TIER, slots: 80, tasks: 5_000, oneOf: 1_000, mustUse: false };
const SETUPS: Setup[] = [
  { ...SMALL, name: 'small', burstMs: MINUTE_MS },
  { ...SMALL, name: 'small, 6 s', burstMs: SHORT_BURST_MS },
  { ...USUAL, name: 'Start', burstMs: MINUTE_MS },
  { ...USUAL, name: 'Start, 6 s', burstMs: SHORT_BURST_MS },
];

/**
 * Measures two worker processes that meet the limits of a small account, and those of the tier that most accounts have, for
 * three minutes each: what the provider refused, what was used of the binding limit, and which tasks came to their end.
 */
export async function measurePacing(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const measures: Measure[] = [];
    for (const setup of SETUPS) measures.push(...toMeasures(setup, await run(redis, setup)));
    return measures;
  } finally {
    await redis.stop();
  }
}

async function run(redis: ScratchRedis, setup: Setup): Promise<AccountReading> {
  await redis.empty();
  const provider = await startLimitedProvider(setup);
  const env = {
    FLEET_SWARM: 'paced',
    FLEET_HAIKU_CONCURRENCY: String(setup.slots / PROCESSES),
    ANTHROPIC_BASE_URL: provider.url,
  };
  const config = redis.config(env);
  const fleet = await openFleet(config);
  const shared = { FLEET_HOME: config.home, FLEET_DATA: config.home, REDIS_URL: redis.url, FLEET_OFFLINE: '1' };
  const workers = await Promise.all(
    Array.from({ length: PROCESSES }, () =>
      startFleetProcess('haiku', {
        ...process.env,
        ...shared,
        ...env,
        FLEET_BUDGET_USD: '100000',
        FLEET_LOG_LEVEL: 'error',
      }),
    ),
  );
  try {
    await fleet.tasks.addMany(Array.from({ length: setup.tasks }, (_, i) => toFiveCallTask(i)));
    await sleep(RUN_MS);
    return provider.read();
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    await fleet.close();
    await provider.close();
  }
}

function toMeasures({ name, burstMs, oneOf, mustUse }: Setup, reading: AccountReading): Measure[] {
  const { served, refused, share, binding, tasks, elapsedMs } = reading;
  const used = 100 * share * (elapsedMs / (elapsedMs + burstMs)); // a full bucket at the start is part of what there is
  const done = tasks.done / Math.floor(tasks.allowed);
  const refusals = (refused * oneOf) / served;
  return [
    { name: `${name}: calls served`, value: served, unit: 'calls' },
    { name: `${name}: refused (429) of ${oneOf} calls`, value: refusals, unit: 'ratio', bar: { atMost: 1 } },
    {
      name: `${name}: used of what ${binding} allow`,
      value: used,
      unit: '%',
      ...(mustUse && { bar: { atLeast: 90 } }),
    },
    { name: `${name}: tasks done / allowed`, value: done, unit: 'ratio', ...(mustUse && { bar: { atLeast: 0.9 } }) },
    {
      name: `${name}: tasks begun, not done`,
      value: tasks.open,
      unit: 'calls',
      ...(mustUse && { bar: { atMost: 4 } }),
    },
  ];
}
