import { setTimeout as sleep } from 'node:timers/promises';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { readBudget, setBudget } from '../src/ledger/budget.ts';
import type { BudgetScope } from '../src/ledger/budget-types.ts';
import { toExactUsd } from '../src/pricing/money.ts';
import { createLogger } from '../src/process/logger.ts';
import { createModel } from '../src/models/create/model.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { AMPLE_LIMITS } from '../simulator/anthropic/limits/token-limits.ts';
import { startAnthropicSimulator, type AnthropicSimulator } from '../simulator/anthropic/server.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const TASKS = 100;
const MONEY_FOR = 40;
const TASK = 'Say it [[turns:1]] [[tokens:2000]]';

const SCOPES: [name: string, budget: BudgetScope, stamp: object][] = [
  ['the day', null, {}],
  ['a batch', { batch: 'big' }, { batch: 'big' }],
  ['a mission', { mission: 'big' }, { mission_id: 'big' }],
];

/** Measures a hundred tasks at once with money for forty: the booked cost and the provider's bill, as shares of the limit. */
export async function measureBudget(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const simulator = await startAnthropicSimulator({ latencyMs: 20, limits: AMPLE_LIMITS });
  try {
    const measures: Measure[] = [];
    for (const [i, [name, budget, stamp]] of SCOPES.entries()) {
      const { booked, billed, done } = await spend(redis, simulator, `budget${i}`, budget, stamp);
      measures.push(
        { name: `${name}: most ever booked and reserved / limit`, value: booked, unit: 'ratio', bar: { atMost: 1 } },
        { name: `${name}: the provider's bill / limit`, value: billed, unit: 'ratio', bar: { atMost: 1 } },
        { name: `${name}: tasks done of ${TASKS}`, value: done, unit: 'findings' },
      );
    }
    return measures;
  } finally {
    await simulator.close();
    await redis.stop();
  }
}

async function spend(
  scratch: ScratchRedis,
  simulator: AnthropicSimulator,
  swarm: string,
  budget: BudgetScope,
  stamp: object,
): Promise<{ booked: number; billed: number; done: number }> {
  const config = scratch.config({
    FLEET_SWARM: swarm,
    FLEET_HAIKU_CONCURRENCY: String(TASKS),
    ANTHROPIC_BASE_URL: simulator.url,
  });
  const fleet = await openFleet(config);
  const { model, close } = await createModel(config);
  const haiku = await runHaiku({ config, model, log: createLogger('bench', 'fatal') });
  const { db, queues } = fleet.inner;
  simulator.clearLog();
  await (await fleet.tasks.add({ description: TASK })).finding();
  const each = simulator.served().billNanoUsd;
  simulator.clearLog();
  const before = budget === null ? each : 0; // the day has paid the first one already
  const limit = before + MONEY_FOR * each;
  await setBudget(db, Number(toExactUsd(limit)), budget);
  await queues.tasks.addBulk(
    Array.from({ length: TASKS }, () => ({ name: 'task', data: { description: TASK, session: 's', ...stamp } })),
  );
  const most = await watch(fleet, budget);
  const done = (await fleet.findings.count()) - 1;
  const billed = simulator.served().billNanoUsd + before;
  await haiku.close();
  await close();
  await fleet.close();
  return { booked: most / limit, billed: billed / limit, done };
}

/** Watches a budget until no job runs. @returns the highest sum of settled, reserved and uncertain */
async function watch(fleet: OpenFleet, budget: BudgetScope): Promise<number> {
  const { db, queues } = fleet.inner;
  const { redis, keys } = db;
  let most = 0;
  for (;;) {
    const { settled, reserved, uncertain } = await readBudget(db, budget, new Date());
    most = Math.max(most, settled + reserved + uncertain);
    const { active = 0, waiting = 0, delayed = 0 } = await queues.tasks.getJobCounts('active', 'waiting', 'delayed');
    const halted = (await redis.exists(keys.haltReason)) === 1;
    const parked = waiting === 0 && delayed > 0 && delayed === (await redis.hlen(keys.parked));
    if (active === 0 && reserved === 0 && (halted || parked)) return most;
    await sleep(1);
  }
}
