import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { readHalt } from '../src/halt/halt.ts';
import { readBudget } from '../src/ledger/budget.ts';
import { startFleetProcess } from './fleet-process.ts';
import {
  startLimitedProvider,
  START_TIER,
  STALL_MS,
  toFiveCallTask,
  type LimitedProvider,
} from './limited-provider.ts';
import type { Measure } from './measure.ts';
import { readScale, toCallLimits } from './scale.ts';
import { startScratchRedis } from './scratch-redis.ts';

const PROCESSES = 2;
const SLOTS = 40;
const TASKS = 200;
/** The stall begins when so many tasks are done: others are at each of their turns. */
const DONE_BEFORE = 40;
/** Of the issue: worst cases besides one a slot. */
const MORE_CALLS = 10;
/** The default of a new fleet, US dollars a day. */
const BUDGET_USD = '5';
/** Longest time from the end of the stall to the end of the last task. After it, the benchmark fails. */
const GIVE_UP_MS = 15 * 60_000;
const LOOK_EVERY_MS = 100;

/** What was seen while the fleet ran. */
interface Seen {
  halts: Set<string>;
  /** The dearest reservation: the worst case of a call, nano-dollars. */
  worstNanoUsd: number;
}

/**
 * Measures a provider that stops answering for ten minutes while two real processes with forty slots work. The provider's times
 * and the fleet's limits of a call are divided by BENCH_SCALE; the fleet's minute between two probes of a stopped model is not,
 * so that only a scale of 1 has as many probes as a real stall.
 */
export async function measureStall(): Promise<Measure[]> {
  const scale = readScale();
  const redis = await startScratchRedis();
  const provider = await startLimitedProvider({ limits: START_TIER, scale });
  const settings = {
    FLEET_SWARM: 'stall',
    FLEET_BUDGET_USD: BUDGET_USD,
    FLEET_HAIKU_CONCURRENCY: String(SLOTS / PROCESSES),
    ANTHROPIC_BASE_URL: provider.url,
    ...toCallLimits(scale),
  };
  const env = redis.env(settings);
  const fleet = await openFleet(redis.config(settings));
  const workers = await Promise.all(Array.from({ length: PROCESSES }, () => startFleetProcess('haiku', env)));
  try {
    return await stall(fleet, provider, scale);
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    await fleet.close();
    await provider.close();
    await redis.stop();
  }
}

async function stall(fleet: OpenFleet, provider: LimitedProvider, scale: number): Promise<Measure[]> {
  const { db, queues } = fleet.inner;
  const seen: Seen = { halts: new Set(), worstNanoUsd: 0 };
  const watched = new AbortController();
  const watching = watch(fleet, seen, watched.signal);
  await fleet.tasks.addMany(
    Array.from({ length: TASKS }, (_, i) => toFiveCallTask(i)),
    { batch: 'stall' },
  );
  await until(async () => (await queues.tasks.getCompletedCount()) >= DONE_BEFORE, 'the tasks before the stall');

  await provider.stall(STALL_MS, 1); // the prompt is reported, as the provider does at once
  const endedAt = Date.now();
  const lost = provider.simulator.requests().filter(({ fault }) => fault === 'stall').length;
  const doneBefore = await queues.tasks.getCompletedCount();
  const { uncertain } = await readBudget(db, null, new Date());
  await until(async () => (await queues.tasks.getCompletedCount()) > doneBefore, 'the first task after the stall');
  const firstMs = Date.now() - endedAt;
  await until(async () => {
    const { completed = 0, failed = 0 } = await queues.tasks.getJobCounts('completed', 'failed');
    return completed + failed === TASKS;
  }, 'the end of every task');
  const allMs = Date.now() - endedAt;
  watched.abort();
  await watching;

  const { settled } = await readBudget(db, null, new Date());
  const served = provider.simulator.requests().filter((request) => request.served);
  const whole = served.filter(({ fault }) => fault === null);
  const turns = new Set(whole.map(({ user, turn }) => `${user} ${turn}`)).size;
  const bill = served.reduce((sum, { billNanoUsd }) => sum + billNanoUsd, 0);
  return [
    { name: 'times faster than real (BENCH_SCALE), 1: real time', value: scale, unit: 'ratio' },
    { name: `stall of ${STALL_MS / 60_000} min at ${SLOTS} slots: calls without a reply`, value: lost, unit: 'calls' },
    {
      name: '  uncertain / worst case of a call',
      value: uncertain / seen.worstNanoUsd,
      unit: 'ratio',
      bar: { atMost: SLOTS + MORE_CALLS },
    },
    { name: '  uncertain', value: uncertain / 1e9, unit: 'USD' },
    {
      name: `  halts of the fleet, at $${BUDGET_USD} a day`,
      value: seen.halts.size,
      unit: 'calls',
      bar: { exactly: 0 },
    },
    { name: '  tasks done', value: await fleet.findings.count(), unit: 'findings', bar: { exactly: TASKS } },
    {
      name: '  calls of a turn that was answered before',
      value: whole.length - turns,
      unit: 'calls',
      bar: { exactly: 0 },
    },
    { name: "  booked / the provider's bill", value: settled / bill, unit: 'ratio', bar: { exactly: 1 } },
    { name: '  from its end to the first task done', value: firstMs, unit: 'ms' },
    { name: '  from its end to the last task done', value: allMs, unit: 'ms' },
  ];
}

/** Looks at what a later look could no longer see, until it is told to end. */
async function watch({ inner: { db } }: OpenFleet, seen: Seen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [halt, reservations] = await Promise.all([readHalt(db), db.redis.hvals(db.keys.reservations)]);
    if (halt !== null) seen.halts.add(`${halt.at} ${halt.reason}`);
    for (const packed of reservations) seen.worstNanoUsd = Math.max(seen.worstNanoUsd, Number.parseInt(packed, 10));
    await sleep(LOOK_EVERY_MS);
  }
}

/** @throws Error that names what did not come */
async function until(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${GIVE_UP_MS / 60_000} minutes`);
    await sleep(LOOK_EVERY_MS);
  }
}
