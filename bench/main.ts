/** Prints every number that the project claims, with bare BullMQ in the same run: `npm run bench [-- NAME…]`. */
import { holds, type Measure } from './measure.ts';
import { measureArchiveContext } from './archive-context.ts';
import { measureBridge } from './bridge.ts';
import { measureBudget } from './budget.ts';
import { measureConcurrency } from './concurrency.ts';
import { measureInstallSize } from './install-size.ts';
import { measureGrowth } from './growth.ts';
import { measureJobs } from './jobs.ts';
import { measureLatency } from './latency.ts';
import { measureLibrarianBeside } from './librarian-beside.ts';
import { measureLongPlan } from './long-plan.ts';
import { measureMemory } from './memory.ts';
import { measureMission } from './mission.ts';
import { measureMoney } from './money.ts';
import { measureOutside } from './outside.ts';
import { measurePacing } from './pacing.ts';
import { measurePeers } from './peers.ts';
import { measureQuotaDay } from './quota-day.ts';
import { measureRateGate } from './rate-gate.ts';
import { measureReservations } from './reservations.ts';
import { measureRules } from './rules.ts';
import { measureSharedCache } from './shared-cache.ts';
import { measureSoak } from './soak.ts';
import { measureStall } from './stall.ts';
import { measureStart } from './start.ts';
import { measureStatus } from './status.ts';
import { measureThroughput } from './throughput.ts';
import { measureWaiting } from './waiting.ts';
import { measureWorktree } from './worktree.ts';

const benches: Record<string, () => Promise<Measure[]>> = {
  throughput: measureThroughput,
  beside: measureLibrarianBeside,
  latency: measureLatency,
  bridge: measureBridge,
  rules: measureRules,
  concurrency: measureConcurrency,
  status: measureStatus,
  jobs: measureJobs,
  waiting: measureWaiting,
  start: measureStart,
  memory: measureMemory,
  growth: measureGrowth,
  soak: measureSoak,
  archive: measureArchiveContext,
  install: measureInstallSize,
  'rate-gate': measureRateGate,
  'quota-day': measureQuotaDay,
  pacing: measurePacing,
  peers: measurePeers,
  money: measureMoney,
  budget: measureBudget,
  reservations: measureReservations,
  cache: measureSharedCache,
  mission: measureMission,
  'long-plan': measureLongPlan,
  stall: measureStall,
  worktree: measureWorktree,
  outside: measureOutside,
};

/** Decimals by unit. Default 0. */
const DIGITS: Partial<Record<Measure['unit'], number>> = { ratio: 2, ms: 2, MB: 1, kB: 1, USD: 4, '%': 1 };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `bench: no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}\n`,
  );
  process.exit(2);
}

let failed = 0;
for (const [name, run] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  for (const measure of await run()) {
    if (!holds(measure)) failed += 1;
    process.stdout.write(`${toLine(measure)}\n`);
  }
}
process.exit(failed === 0 ? 0 : 1);

function describeBar(bar: NonNullable<Measure['bar']>): string {
  if ('exactly' in bar) return `bar: = ${bar.exactly}`;
  return 'atLeast' in bar ? `bar: ≥ ${bar.atLeast}` : `bar: ≤ ${bar.atMost}`;
}

function toLine(measure: Measure): string {
  const { name, value, unit, bar } = measure;
  const shown = `${value.toFixed(DIGITS[unit] ?? 0)} ${unit}`;
  const must = bar === undefined ? '' : describeBar(bar);
  const mark = bar === undefined ? ' ' : holds(measure) ? '✅' : '❌';
  return `  ${name.padEnd(52)}${shown.padStart(16)}   ${must.padEnd(16)}${mark}`.trimEnd();
}
