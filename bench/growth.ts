import type { ReplyBlock } from '../src/models/format.ts';
import type { Queue } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { runCoordinator } from '../src/coordinator/run-coordinator.ts';
import { pruneMissions } from '../src/coordinator/upkeep/watch.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { dropEndedJobs } from '../src/jobs/forget/drop-ended-jobs.ts';
import { createForgetting } from '../src/jobs/forget/forget.ts';
import { countCrash } from '../src/jobs/worker/crash-count.ts';
import type { Model, ModelRequest } from '../src/models/model.ts';
import { createLogger } from '../src/process/logger.ts';
import type { Config } from '../src/config/environment.ts';
import { measureFamilies, type FamilySize } from './key-families.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

/** Work that a swarm does before a long time passes. Every tenth task chooses its finding's id and has a budget of its own. */
export interface GrowthWork {
  tasks: number;
  /** Tasks that fail, beside the others. */
  failed: number;
  missions: number;
}

/** Kinds of keys that may grow with the work: findings, what finds them, and what was paid for them. */
export const GROWING: ReadonlySet<string> = new Set([
  'finding',
  'index',
  'indexBySession',
  'indexByBatch',
  'indexAnswers',
  'indexCondensed',
  'condensed',
  'retracted',
  'response',
  'patch',
  'ledger',
  'ledgerDays',
]);
/** Streams and lists of a fixed length: they grow until they are full. */
export const OF_FIXED_LENGTH: ReadonlySet<string> = new Set([
  'events',
  'activity',
  'begun',
  'settlements',
  'queue tasks',
  'queue missions',
  'queue archive',
]);

const DAY_MS = 86_400_000;
/** More than the longest life time of a key, and of an owner whose end gives another key its own. */
const DAYS_LATER = 300;
const STEP_DAYS = 30;
const BATCH = 200;
/** Missions that are added at once. */
const MISSIONS = 100;
/** More tasks are added only while fewer wait: Redis then holds what is left of the work, not the work. */
const MOST_WAITING = 5_000;
/** Tasks under way at once in the one process. */
const SLOTS = '100';

/** Lowers all life times by ARGV[2] ms, as if that time had passed. */
const LET_TIME_PASS = `
local page = redis.call('SCAN', ARGV[1], 'COUNT', 1000)
for _, key in ipairs(page[2]) do
  local left = redis.call('PTTL', key)
  if left > 0 then
    if left <= tonumber(ARGV[2]) then redis.call('DEL', key) else redis.call('PEXPIRE', key, left - tonumber(ARGV[2])) end
  end
end
return page[1]`;

/**
 * Lets one swarm do each of the works, with 300 days after each: all life times are lowered, and the fleet's own sweeps run with a
 * clock that is as far ahead. No librarian runs, so the missions ask no archive.
 * @param options.onPhase called when a part of it has ended
 * @returns what is left after each work, by kind of key
 */
export async function measureAfterWorks(
  config: Config,
  works: readonly GrowthWork[],
  { onPhase }: { onPhase?: (phase: string) => void } = {},
): Promise<Map<string, FamilySize>[]> {
  const fleet = await openFleet({ ...config, shards: [] });
  const left: Map<string, FamilySize>[] = [];
  for (const [round, work] of works.entries()) {
    await doWork(fleet, { ...config, shards: [] }, { ...work, round, onPhase });
    await letTimePass(fleet);
    onPhase?.('300 days passed');
    left.push(await measureFamilies(fleet.inner.db.redis, fleet.inner.db.keys));
    onPhase?.('its keys were measured');
  }
  await fleet.close();
  return left;
}

/** @throws Error if not all of the work ended as it should */
async function doWork(
  fleet: OpenFleet,
  config: Config,
  { tasks, failed, missions, round, onPhase }: GrowthWork & { round: number; onPhase?: (phase: string) => void },
): Promise<void> {
  const { db, queues } = fleet.inner;
  const { redis, keys } = db;
  const countOf = async (event: string): Promise<number> => Number(await redis.hget(keys.counters, event));
  const before = { findings: await fleet.findings.count(), failed: await countOf('failed_refusal') };
  const log = createLogger('bench', 'silent');
  const model = createSoakModel();
  const haiku = await runHaiku({ config, log, model });
  const coordinator = await runCoordinator({ config, log, model });
  const one = (i: number, text: string) => ({
    description: `${text} ${i}`,
    ...(i % 10 === 0 ? { finding_id: `${text}-${round}-${i}`, budget_usd: 1 } : {}),
  });
  try {
    for (let from = 0; from < tasks; from += BATCH) {
      const count = Math.min(BATCH, tasks - from);
      const inputs = Array.from({ length: count }, (_, i) => one(from + i, 'work'));
      await until(async () => (await queues.tasks.getWaitingCount()) < MOST_WAITING);
      await fleet.tasks.addMany(inputs, { batch: `batch-${round}-${from}`, budgetUsd: 100 });
    }
    await until(async () => (await fleet.findings.count()) >= before.findings + tasks);
    onPhase?.(`${tasks} tasks ended`);
    const inputs = Array.from({ length: failed }, (_, i) => one(i, 'fail'));
    const bad = await fleet.tasks.addMany(inputs, { batch: `failing-${round}` });
    await until(async () => (await countOf('failed_refusal')) >= before.failed + failed);
    onPhase?.(`${failed} tasks failed`);
    for (const id of bad.ids.slice(0, 10)) {
      const job = await queues.tasks.getJob(id);
      if (job !== undefined) await countCrash(db, Object.assign(job, { stalledCounter: 1 })); // as after the death of its worker
    }
    for (let from = 0; from < missions; from += MISSIONS) {
      const count = Math.min(MISSIONS, missions - from);
      const goals = Array.from({ length: count }, (_, i) => ({ goal: `Find out ${round} ${from + i}`, budget_usd: 1 }));
      await Promise.all(goals.map((goal) => fleet.missions.add(goal)));
    }
    const isOver = async (): Promise<boolean> =>
      (await countWaiting(queues.missions)) === 0 && (await countWaiting(queues.tasks)) === 0;
    await until(isOver);
    onPhase?.(`${missions} missions ended`);
  } finally {
    await coordinator.close();
    await haiku.close();
  }
  const found = (await fleet.findings.count()) - before.findings;
  if (found !== tasks + 2 * missions) {
    throw new Error(`${tasks} tasks and ${missions} missions of one task stored ${found} findings`);
  }
}

async function letTimePass(fleet: OpenFleet): Promise<void> {
  const { db, queues } = fleet.inner;
  const log = { warn: () => undefined };
  const forget = createForgetting({ db });
  for (let days = STEP_DAYS; days <= DAYS_LATER; days += STEP_DAYS) {
    const nowMs = db.clock.now() + days * DAY_MS;
    let cursor = '0';
    do {
      cursor = String(await db.redis.eval(LET_TIME_PASS, 0, cursor, STEP_DAYS * DAY_MS));
    } while (cursor !== '0');
    await dropEndedJobs({ db, queues, log }, nowMs);
    await pruneMissions(db, new Date(nowMs));
    await forget(nowMs);
    await forget(nowMs);
  }
}

/** Tasks that are to fail are refused; missions get a plan of one task. */
function createSoakModel(): Model {
  let calls = 0;
  return {
    async call(request) {
      calls += 1;
      const prompt = JSON.stringify(request.messages[0]?.content ?? '');
      const refused = /fail \d/.test(prompt);
      const content = [{ type: 'text', text: toReply(request, prompt) }] as ReplyBlock[];
      return {
        id: `msg_soak_${calls}`,
        model: request.model,
        content,
        stopReason: refused ? 'refusal' : 'end_turn',
        usage: { input: 100, cache_write: 0, cache_read: 0, output: 20 },
      };
    },
    countTokens: async () => null,
  };
}

function toReply(request: ModelRequest, prompt: string): string {
  const title = request.outputSchema?.['title'];
  if (title === 'plan') {
    return JSON.stringify({
      approach: 'at once',
      tasks: [{ id: 'look', kind: 'other', model: 'haiku', description: 'Look' }],
    });
  }
  if (title !== 'synthesis') return 'found';
  const ids = [...prompt.matchAll(/<finding id=\\*"([^"\\]+)/g)].map((match) => match[1] ?? '');
  return JSON.stringify({ answer: `Done. [${ids.join(', ')}]`, citations: ids });
}

/** How many jobs have not ended: those that wait, in whatever way, and those that run. */
async function countWaiting(queue: Queue): Promise<number> {
  return (await queue.count()) + (await queue.getActiveCount());
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  while (!(await isReached())) await sleep(20);
}

/**
 * Measures what one swarm holds 300 days after no work, after much work, and after as much work again. `BENCH_GROWTH_TASKS` sets how
 * much; stderr shows how far it is.
 */
export async function measureGrowth(): Promise<Measure[]> {
  const tasks = Number(process.env['BENCH_GROWTH_TASKS'] ?? 5_000);
  const work = { tasks, failed: Math.ceil(tasks / 10), missions: Math.ceil(tasks / 40) };
  const redis = await startScratchRedis();
  const began = performance.now();
  const onPhase = (phase: string): void => {
    process.stderr.write(`  ${Math.round((performance.now() - began) / 1_000)} s: ${phase}\n`);
  };
  try {
    const config = redis.config({ FLEET_SWARM: 'growth', FLEET_HAIKU_CONCURRENCY: SLOTS });
    return toMeasures(
      await measureAfterWorks(config, [{ tasks: 0, failed: 0, missions: 0 }, work, work], { onPhase }),
      work,
    );
  } finally {
    await redis.stop();
  }
}

function toMeasures(left: Map<string, FamilySize>[], work: GrowthWork): Measure[] {
  const sum = (sizes: Map<string, FamilySize> | undefined, wanted: (name: string) => boolean): FamilySize => {
    const chosen = [...(sizes ?? [])].filter(([name]) => wanted(name)).map(([, size]) => size);
    return {
      keys: chosen.reduce((total, { keys }) => total + keys, 0),
      bytes: chosen.reduce((total, { bytes }) => total + bytes, 0),
    };
  };
  const bounded = (name: string): boolean => !GROWING.has(name) && !OF_FIXED_LENGTH.has(name);
  const [idle, once, twice] = left.map((sizes) => sum(sizes, bounded));
  const fixed = left.map((sizes) => sum(sizes, (name) => OF_FIXED_LENGTH.has(name)));
  const { tasks, failed, missions } = work;
  return [
    {
      name: `after ${tasks} tasks, ${failed} failed, ${missions} missions, 300 days: keys`,
      value: once?.keys ?? 0,
      unit: 'keys',
    },
    {
      name: '  keys beyond those of an idle swarm',
      value: (once?.keys ?? 0) - (idle?.keys ?? 0),
      unit: 'keys',
      bar: { atMost: 10 },
    },
    {
      name: '  keys beyond that after as much work again',
      value: (twice?.keys ?? 0) - (once?.keys ?? 0),
      unit: 'keys',
      bar: { atMost: 0 },
    },
    {
      name: '  memory beyond that after as much work again',
      value: ((twice?.bytes ?? 0) - (once?.bytes ?? 0)) / 1024,
      unit: 'kB',
      bar: { atMost: 16 },
    },
    {
      name: '  streams and lists of fixed length',
      value: (fixed[2]?.bytes ?? 0) / 2 ** 20,
      unit: 'MB',
      bar: { atMost: 10 },
    },
    {
      name: '  findings, what finds them, ledger',
      value: sum(left[1], (name) => GROWING.has(name)).bytes / 2 ** 20,
      unit: 'MB',
    },
  ];
}
