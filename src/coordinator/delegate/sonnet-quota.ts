import { countByClass, describeShare, type ClassCounts } from '../plan/check.ts';
import type { PlanModels } from '../plan/plan-models.ts';
import type { Plan } from '../plan/plan.ts';
import type { Checked } from '../calls/types.ts';
import type { Db } from '../../redis/db.ts';

/** Whether a session admits a plan. */
export interface Admission {
  admitted: boolean;
  /** Most tasks for expensive models that this plan may have. */
  allowed: number;
  /** Tasks planned or done in the session, without this plan: for expensive models (`sonnet`), and for others. */
  haiku: number;
  sonnet: number;
}

/**
 * Admits a plan, or returns how many tasks for expensive models it may have: max(1, floor(n / 10)) of n tasks,
 * whatever other missions and people have added: their tasks are not this plan's. That nine in ten tasks of a session do not go to
 * the coordinator's class of model is a target, which the status shows. The answer is one step in Redis, with the session's counts.
 *
 * Edge cases:
 * - The number of a model's tasks in a session is the larger of planned and done, so that a planned task is not counted again
 *   when it is done.
 * - A planned task counts even if it fails, is skipped or is never added.
 * - A mission has one admission. The same plan is admitted again (after a crash); another plan of the same mission replaces
 *   the first; a refused plan changes nothing.
 * - Of what is done, only tasks of Haiku and Sonnet count. Planning and synthesis are no tasks.
 *
 * @param plan tasks by class, each entry of `for_each` counted
 * @param mode `look` changes nothing; `allow`: a person has decided that the plan runs, whatever its share
 */
export async function admitPlan(
  { keys, scripts }: Db,
  { missionId, session }: { missionId: string; session: string },
  plan: ClassCounts,
  mode: 'admit' | 'look' | 'allow' = 'admit',
): Promise<Admission> {
  const [admitted = 0, allowed = 0, haiku = 0, sonnet = 0] = await scripts['admit-plan'](
    { delegation: keys.delegation(session), totals: keys.sessionTotals(session), mission: keys.mission(missionId) },
    [plan.haiku, plan.sonnet, mode],
  );
  return { admitted: admitted === 1, allowed, haiku, sonnet };
}

/** Most tasks for expensive models that a plan of `maxTasks` tasks may have in this session now. The planner gets it as `max_sonnet`. */
export async function readSonnetRoom(
  db: Db,
  mission: { missionId: string; session: string },
  maxTasks: number,
): Promise<number> {
  return (await admitPlan(db, mission, { haiku: maxTasks, sonnet: 0 }, 'look')).allowed;
}

/**
 * Builds the `admit` of `toPlanCall`. A plan with more expensive tasks than it may have is refused with the numbers; where its
 * repair has too many as well, a person decides.
 * @param mode `look` for a dry run, whose plan is not carried out
 */
export function createPlanAdmission(
  db: Db,
  mission: { missionId: string; session: string },
  models: PlanModels,
  mode: 'admit' | 'look' = 'admit',
): (plan: Plan) => Promise<Checked<Plan>> {
  return async (plan) => {
    const counts = countByClass(plan.tasks, models);
    const { admitted, allowed, haiku, sonnet } = await admitPlan(db, mission, counts, mode);
    if (admitted) return { ok: true, value: plan };
    const problem = `${describeExcess(plan, models, allowed)} (session ${mission.session} has ${haiku} haiku and ${sonnet} sonnet tasks beside it); give the others to haiku`;
    return { ok: false, problem, atWorst: plan };
  };
}

/** Says why a plan needs a person's word; empty: it does not. */
export async function findExcess(
  db: Db,
  mission: { missionId: string; session: string },
  plan: Plan,
  models: PlanModels,
): Promise<string> {
  const { admitted, allowed } = await admitPlan(db, mission, countByClass(plan.tasks, models), 'look');
  return admitted ? '' : describeExcess(plan, models, allowed);
}

function describeExcess({ tasks }: Plan, models: PlanModels, allowed: number): string {
  return `${describeShare(tasks, models)}: at most one in ten may go there, so at most ${allowed} here`;
}
