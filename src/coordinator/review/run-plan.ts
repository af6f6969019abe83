import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteChange } from '../../audit/note-change.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import type { AuditFields } from '../../audit/types.ts';
import { UsageError } from '../../errors.ts';
import { readJob } from '../../jobs/state/states.ts';
import { readBudget } from '../../ledger/budget.ts';
import { formatUsd } from '../../pricing/money.ts';
import { countEvent } from '../../swarm/count-event.ts';
import { readKnownNames } from '../../tasks/known-names.ts';
import { countOf } from '../../text/plural.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { startOwnJob } from '../mission/start-job.ts';
import { admitPlan } from '../delegate/sonnet-quota.ts';
import { readMissionFields } from '../mission/record.ts';
import type { Approval, ChildCounts } from '../mission/types.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { MissionForecast } from '../plan/types.ts';
import { describeArchiveMoved } from './archive-moved.ts';
import { checkEditedPlan, dropTasks } from './change-plan.ts';
import { findReview, type StoredReview } from './find-review.ts';
import { findObstacle, findOldRule } from './obstacle.ts';
import { restorePlanCost } from './plan-cost.ts';
import { forecastMission, toReviewModels, type PlanParts } from './read-plan.ts';
import { countByClass } from '../plan/check.ts';
import { BETTER_NAME, type PlanModels } from '../plan/plan-models.ts';
import type { RunPlan, RunPlanOptions } from '../mission/review-types.ts';

/** How long a call waits for the end of the dry run's job. A coordinator starts it later, too. */
const MOST_LOOKS = 50;
const LOOK_MS = 100;

/**
 * Runs the plan of a dry run, or one that waits for approval, as it was shown: nothing is planned or paid again, and the mission
 * keeps its id, budget and session.
 *
 * Delivery contract: everything is checked first, then one script stores the approval with the tasks, then the job is started. A
 * call that dies in between is finished by the next one, or by the coordinator. A second call changes nothing.
 * @param by the person's name
 * @throws NotFoundError; UsageError for a plan that cannot run, a change that breaks a rule, or a plan that is not the one that was
 *   looked at: nothing was changed
 */
export async function runReviewedPlan(
  parts: PlanParts,
  id: string,
  options: RunPlanOptions,
  by: string,
): Promise<RunPlan> {
  const { db, queues } = parts;
  const review = await findReview(parts, id);
  if (review.record.approval !== null) return again(parts, review, options);
  const wanted = await check(parts, review, options);
  if (options.dryRun === true) return { missionId: id, again: false, ...wanted.shown };
  await restorePlanCost(db, id, parts.config);
  const at = db.clock.date().toISOString();
  const { dropped, edited } = wanted.shown;
  const approval: Approval = { at, by, dropped, edited, call: randomUUID() };
  if (!(await approve(parts, review, { approval, nodes: wanted.shown.tasks, edit: wanted.edit, at }))) {
    const now = await findReview(parts, id);
    if (now.record.approval !== null) return again(parts, now, options);
    throw new UsageError(`mission ${id}: it has changed since its plan was read; look again: fleet mission ${id}`);
  }
  await noteChange(db, {
    what: 'run',
    about: { mission: id },
    before: { state: review.record.state, plan: review.version.slice(0, 12) },
    after: toAudited(wanted.shown),
  });
  await startWhenEnded(parts, id, review.input);
  await countEvent(db, 'missions_approved');
  const log = `${at} approved by ${by}: ${countOf(wanted.shown.tasks.length, 'task')}${edited ? ', edited' : ''}${dropped.length === 0 ? '' : `, without ${dropped.join(', ')}`}`;
  await (await queues.missions.getJob(id))?.log(log);
  return { missionId: id, again: false, ...wanted.shown };
}

function toAudited({ tasks, dropped, edited, forecast }: Wanted['shown']): AuditFields {
  return {
    state: 'running',
    tasks: tasks.length,
    likely: formatUsd(forecast.cost.likely, 4),
    ...(edited ? { edited } : {}),
    ...(dropped.length === 0 ? {} : { dropped: dropped.map(String) }),
  };
}

/** The job of a dry run may still be ending: its record says that it is done a moment before. */
async function startWhenEnded(parts: PlanParts, id: string, input: StoredReview['input']): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    if (await startOwnJob(parts, id, input)) return;
    if ((await readJob(parts.db, missionsQueue.name, id)).state !== 'active') return;
    await sleep(LOOK_MS);
  }
}

interface Wanted {
  shown: Omit<RunPlan, 'missionId' | 'again'>;
  /** The person's own plan; null: the coordinator's. */
  edit: Plan | null;
}

async function check(parts: PlanParts, review: StoredReview, options: RunPlanOptions): Promise<Wanted> {
  const { db, configured } = parts;
  const { id, record, input, version } = review;
  const { drop = [], edit } = options;
  const obstacle = findObstacle(review, await readKnownNames(db, configured));
  if (obstacle !== null) throw new UsageError(obstacle);
  if (options.version !== undefined && options.version !== version) {
    throw new UsageError(`mission ${id}: its plan has changed since it was read; look again: fleet mission ${id}`);
  }
  if (edit !== undefined && drop.length > 0) {
    throw new UsageError(
      `mission ${id}: --drop takes the numbers of the plan that was shown, and --edit brings another; leave the tasks out in the file`,
    );
  }
  const models = toReviewModels(parts, review);
  const oldRule = edit === undefined ? findOldRule(review, models) : null;
  if (oldRule !== null) throw new UsageError(oldRule);
  const plan = edit === undefined ? null : checkEditedPlan(id, edit, models, input?.max_tasks);
  const tasks = dropTasks(id, plan ?? record.plan, drop);
  if (plan !== null || review.record.excess === '') await assertShare(parts, review, tasks, models); // else the person decides about it now
  const forecast = await forecastMission(parts, tasks, review);
  if (plan !== null) await assertBudget(parts, id, forecast);
  const notes = await describeArchiveMoved(db, record);
  const dropped = [...new Set(drop)].toSorted((a, b) => a - b);
  return { shown: { tasks, dropped, edited: plan !== null, forecast, notes }, edit: plan };
}

/** @throws UsageError where more than one in ten of the tasks would go to Sonnet, or another expensive model */
async function assertShare(
  { db }: PlanParts,
  { id, record }: StoredReview,
  nodes: readonly PlanNode[],
  models: PlanModels,
): Promise<void> {
  const expensive = nodes.filter(({ model }) => models.isExpensive(model));
  const counts = countByClass(nodes, models);
  const { admitted, allowed } = await admitPlan(db, { missionId: id, session: record.session }, counts, 'look');
  if (admitted) return;
  throw new UsageError(
    `mission ${id}: ${countOf(expensive.length, 'task')} of ${nodes.length} would go to ${describeExpensive(expensive)} (${expensive.map(({ n }) => n).join(', ')}): expected at most ${allowed}, one in ten; give the others to haiku, or leave them out. Nothing was changed`,
  );
}

function describeExpensive(nodes: readonly PlanNode[]): string {
  const names = [...new Set(nodes.map(({ model }) => model))];
  return names.map((name) => (name === BETTER_NAME ? 'Sonnet' : name)).join(' and ');
}

/** @throws UsageError where the mission's budget has less left than the person's plan likely costs */
async function assertBudget({ db }: PlanParts, id: string, { cost }: MissionForecast): Promise<void> {
  const { limit, settled, reserved, uncertain } = await readBudget(db, { mission: id });
  if (limit === null) return;
  const left = Math.max(0, limit - settled - reserved - uncertain);
  if (cost.likely <= left) return;
  throw new UsageError(
    `mission ${id}: the edited plan likely costs ${formatUsd(cost.likely, 4)}, and its budget has ${formatUsd(left, 4)} left; raise it (fleet budget USD --mission ${id}), or make the plan smaller. Nothing was changed`,
  );
}

/** @returns false: plan or state are not those that were read */
async function approve(
  { db }: PlanParts,
  { id, version }: StoredReview,
  { approval, nodes, edit, at }: { approval: Approval; nodes: readonly PlanNode[]; edit: Plan | null; at: string },
): Promise<boolean> {
  const { keys, scripts } = db;
  const counts: ChildCounts = { total: nodes.length, added: 0, done: 0, failed: 0, cancelled: 0, skipped: 0 };
  const answer = await scripts['approve-plan']({ mission: keys.mission(id), spend: keys.spend(`mission:${id}`) }, [
    toWellFormedJson({
      version,
      approval: JSON.stringify(approval),
      nodes: JSON.stringify(nodes),
      counts: JSON.stringify(counts),
      plan: edit === null ? false : JSON.stringify(edit),
      at,
    }),
  ]);
  return answer === 'approved';
}

/** Reports a plan that runs already, and does what a call that died has left undone. @throws UsageError for another change */
async function again(parts: PlanParts, review: StoredReview, { drop = [], edit }: RunPlanOptions): Promise<RunPlan> {
  const { id, record, input } = review;
  const approval = record.approval as Approval;
  const { dropped, edited, by, at } = approval;
  const isSame =
    edit === undefined
      ? !edited && [...new Set(drop)].toSorted((a, b) => a - b).join() === dropped.join()
      : JSON.stringify(checkEditedPlan(id, edit, toReviewModels(parts, review), input?.max_tasks)) ===
        JSON.stringify(record.plan);
  if (!isSame) {
    throw new UsageError(
      `mission ${id}: its plan was approved by ${by} at ${at}${edited ? ', edited' : ''}${dropped.length === 0 ? '' : `, without ${dropped.join(', ')}`}; nothing was changed now`,
    );
  }
  const [state = null] = await readMissionFields(parts.db, id, 'state');
  if (state === 'running') await startOwnJob(parts, id, input);
  const tasks = dropTasks(id, record.plan, dropped);
  const forecast = await forecastMission(parts, tasks, review);
  return { missionId: id, again: true, tasks, dropped, edited, forecast, notes: [] };
}
