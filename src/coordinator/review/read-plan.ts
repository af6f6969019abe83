import { readBudget } from '../../ledger/budget.ts';
import { toExactUsd } from '../../pricing/money.ts';
import { readKnownNames, type Configured } from '../../tasks/known-names.ts';
import { expandPlan } from '../plan/expand.ts';
import { forecastPlan, type ForecastParts } from '../plan/forecast.ts';
import { toPlanModels, type PlanModels } from '../plan/plan-models.ts';
import { toAllowedVendors } from '../../routing/allowed-vendors.ts';
import { describeArchiveMoved } from './archive-moved.ts';
import { findReview, type ReviewParts, type StoredReview } from './find-review.ts';
import { findObstacle, findOldRule } from './obstacle.ts';
import type { ReviewedPlan } from '../mission/review-types.ts';

/** What reading and running a plan need. */
export interface PlanParts extends ReviewParts {
  findings: ForecastParts['findings'];
  config: ForecastParts['config'];
  /** Workspaces of this process' own configuration. */
  configured: Configured;
}

/** Reads the plan of a mission for a person's review, with a forecast. @throws NotFoundError, UsageError: it has no plan */
export async function readReviewedPlan(parts: PlanParts, id: string): Promise<ReviewedPlan> {
  const { db, configured } = parts;
  const review = await findReview(parts, id);
  const { record, version } = review;
  const { goal, workspace, state, plan, plannedAt, approval } = record;
  const dropped = new Set(approval?.dropped);
  const tasks = expandPlan(plan).map((node) => ({ ...node, dropped: dropped.has(node.n) }));
  const nodes = tasks.filter((task) => !task.dropped);
  const [budget, known, forecast] = await Promise.all([
    readBudget(db, { mission: id }),
    readKnownNames(db, configured),
    forecastMission(parts, nodes, review),
  ]);
  const obstacle = findObstacle(review, known) ?? findOldRule(review, toReviewModels(parts, review));
  return {
    missionId: id,
    goal,
    workspace,
    state,
    version,
    approach: plan.approach,
    tasks,
    plan,
    forecast,
    costUsd: toExactUsd(budget.settled),
    costNanoUsd: budget.settled,
    ...(budget.freeLocal === undefined ? {} : { freeLocal: budget.freeLocal }),
    canRun: obstacle === null,
    obstacle,
    notes:
      obstacle === null // else it does not run, and how old it is matters to nobody
        ? [...(record.excess === '' ? [] : [record.excess]), ...(await describeArchiveMoved(db, record))]
        : [],
    plannedAt,
    approval,
  };
}

/** The models that the tasks of a mission may name now, as this process is configured. */
export function toReviewModels(
  { db, config }: Pick<PlanParts, 'db' | 'config'>,
  { record: { workspace }, input }: Pick<StoredReview, 'record' | 'input'>,
): PlanModels {
  const { vendors } = input ?? {};
  const seen = toAllowedVendors({ workspace: workspace ?? undefined, vendors }, config.workspaceVendors);
  return toPlanModels(config, { vendors: seen, at: db.clock.date() });
}

/** @returns the forecast of a mission's tasks */
export function forecastMission(
  { db, queues, findings, config }: PlanParts,
  nodes: Parameters<typeof forecastPlan>[1]['nodes'],
  { record: { workspace }, input }: Pick<StoredReview, 'record' | 'input'>,
): ReturnType<typeof forecastPlan> {
  return forecastPlan(
    { db, queue: queues.tasks, findings, config, now: db.clock.date() },
    {
      nodes,
      workspace,
      ...(input?.for === undefined ? {} : { for: input.for }),
    },
  );
}
