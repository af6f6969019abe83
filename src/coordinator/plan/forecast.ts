import type { Queue } from 'bullmq';
import type { TaskInput } from '../../../queues/tasks.ts';
import { createForecaster } from '../../tasks/batch/forecast.ts';
import type { Config } from '../../config/environment.ts';
import { countOf } from '../../text/plural.ts';
import type { FindingStore } from '../../findings/types.ts';
import { costNanoUsd } from '../../pricing/cost.ts';
import { NO_USAGE } from '../../pricing/tokens.ts';
import { readShardStates } from '../../librarian/gate/shard-states.ts';
import { catalogOf, type CatalogEntry } from '../../pricing/catalog.ts';
import { createModelOf } from '../../routing/model-of.ts';
import { readWorkers } from '../../swarm/heartbeat.ts';
import type { PlanNode } from './plan.ts';
import type { MissionForecast } from './types.ts';
import { chooseModel } from './model-choice.ts';
import { countByName } from './name-counts.ts';
import type { Db } from '../../redis/db.ts';

export interface ForecastParts {
  db: Db;
  /** Queue `tasks`; its newest completed jobs give the time of a task. */
  queue: Pick<Queue, 'getJobs'>;
  findings: FindingStore;
  config: Pick<
    Config,
    | 'FLEET_HAIKU_MODEL'
    | 'FLEET_SONNET_MODEL'
    | 'FLEET_COORDINATOR_MODEL'
    | 'FLEET_HAIKU_PROCESSES'
    | 'FLEET_HAIKU_CONCURRENCY'
    | 'shards'
    | 'models'
    | 'routes'
    | 'workspaceVendors'
  >;
  now: Date;
}

/** Newest completed tasks that are measured, and the fewest that are used. */
const SAMPLE = 100;
const FEWEST = 5;
/** Time of a task if too few were completed. */
const ASSUMED_TASK_MS = 30_000;
/** Tokens of the synthesis: of one finding in its prompt, of all findings, of the rest of its prompt, of its answer. */
const FINDING_TOKENS = 150;
const MOST_FINDINGS_TOKENS = 200_000;
const PROMPT_TOKENS = 2_000;
const ANSWER_TOKENS = 1_500;
const ASKS_ARCHIVE = /^\s*ask the archive\b/i;

/**
 * Forecasts the cost, archive questions and time of a plan from earlier similar tasks, or from a stated assumption. Pays
 * nothing and changes nothing.
 * @param plan.workspace of its tasks; null: none
 * @param plan.for who may take its tasks; default: the fleet's workers
 */
export async function forecastPlan(
  parts: ForecastParts,
  { nodes, workspace, for: takers }: { nodes: readonly PlanNode[]; workspace: string | null; for?: TaskInput['for'] },
): Promise<MissionForecast> {
  const { db, findings, config, now } = parts;
  const { FLEET_COORDINATOR_MODEL: coordinatorModel } = config;
  const catalog = catalogOf(config);
  const forecaster = createForecaster({
    db,
    findings,
    catalog,
    modelOf: createModelOf(config, now),
    coordinatorModel,
    now,
  });
  for (const node of nodes) {
    const { description, kind } = node;
    forecaster.add({
      description,
      kind,
      ...chooseModel(node, config), // as it is delegated
      ...(takers === undefined ? {} : { for: takers }),
      ...(workspace === null ? {} : { workspace }),
    });
  }
  const [money, slots, latency, quota] = await Promise.all([
    forecaster.forecast(),
    readSlots(parts, workspace),
    readTaskMs(parts),
    readQuota(parts, nodes),
  ]);
  const synthesis = toSynthesisCost(catalog.findPrices(coordinatorModel, now), nodes.length);
  const schedule = toSchedule(nodes, slots.slots);
  return {
    tasks: countByName(nodes),
    cost: {
      likely: money.likely + synthesis,
      worst: money.high + synthesis,
      allSonnet: money.allSonnet + synthesis,
      comparedWith: money.comparedWith,
      synthesis,
      budgetLeft: money.budgetLeft,
    },
    quota,
    time: {
      slots: slots.slots,
      assumed: slots.assumed,
      longestChain: schedule.longestChain,
      taskMs: latency.ms,
      likelyMs: schedule.rounds * latency.ms,
    },
    basis: [...money.basis, latency.basis, slots.basis],
  };
}

function toSynthesisCost(entry: CatalogEntry, findings: number): number {
  const input = PROMPT_TOKENS + Math.min(MOST_FINDINGS_TOKENS, findings * FINDING_TOKENS);
  return costNanoUsd(entry, { ...NO_USAGE, input, output: ANSWER_TOKENS });
}

async function readSlots({ db, config }: ForecastParts, workspace: string | null) {
  const workers = (await readWorkers(db)).filter(
    ({ workspaces }) => workspace === null || workspaces.includes(workspace),
  );
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  if (slots > 0)
    return { slots, assumed: false, basis: `${countOf(workers.length, 'live worker')} with ${countOf(slots, 'slot')}` };
  const { FLEET_HAIKU_PROCESSES: processes, FLEET_HAIKU_CONCURRENCY: each } = config;
  const where = workspace === null ? '' : ` for workspace ${workspace}`;
  return {
    slots: processes * each,
    assumed: true,
    basis: `no worker is up${where}; assumed ${processes} workers with ${each} slots each`,
  };
}

/** The median time of the newest completed tasks, from start to end. */
async function readTaskMs({ queue }: ForecastParts): Promise<{ ms: number; basis: string }> {
  const jobs = await queue.getJobs(['completed'], 0, SAMPLE - 1);
  const times = jobs
    .map((job) => (job?.finishedOn ?? 0) - (job?.processedOn ?? 0))
    .filter((ms) => ms > 0)
    .sort((a, b) => a - b);
  const middle = times[Math.floor(times.length / 2)];
  return times.length < FEWEST || middle === undefined
    ? { ms: ASSUMED_TASK_MS, basis: `no task was done lately; assumed ${ASSUMED_TASK_MS / 1_000} s each` }
    : { ms: middle, basis: `the middle one of the newest ${times.length} tasks took ${(middle / 1_000).toFixed(1)} s` };
}

async function readQuota(
  { db, config, now }: ForecastParts,
  nodes: readonly PlanNode[],
): Promise<MissionForecast['quota']> {
  if (config.shards.length === 0) return null;
  const states = await readShardStates(db, config.shards, { nowMs: now.getTime() });
  const byProject = new Map(states.map(({ shard, project, left }) => [project ?? `shard ${shard}`, left])); // shards of one project share its quota
  return {
    questions: nodes.filter(({ description }) => ASKS_ARCHIVE.test(description)).length,
    leftToday: [...byProject.values()].reduce((sum, left) => sum + left, 0),
  };
}

/** How a plan's tasks fill a number of slots, if all tasks take equally long. */
interface Schedule {
  /** Upper bound of the total time, in times of one task. */
  rounds: number;
  /** Length of the longest chain of tasks that depend on each other. */
  longestChain: number;
}

/** @param nodes each after those it depends on (`expandPlan`) @param slots tasks that run at once, at least 1 */
export function toSchedule(nodes: readonly Pick<PlanNode, 'n' | 'dependsOn'>[], slots: number): Schedule {
  const levelOf = new Map<number, number>();
  const counts: number[] = []; // number of tasks by level: level 0 depends on nothing, level 1 on level 0 …
  for (const { n, dependsOn } of nodes) {
    const level = dependsOn.reduce((most, other) => Math.max(most, (levelOf.get(other) ?? 0) + 1), 0);
    levelOf.set(n, level);
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const rounds = counts.reduce((sum, count) => sum + Math.ceil(count / Math.max(1, slots)), 0);
  return { rounds, longestChain: counts.length };
}
