import { countOf } from '../../text/plural.ts';
import { countByModel } from '../plan/check.ts';
import type { Plan } from '../plan/plan.ts';
import type { Checked } from '../calls/types.ts';
import type { Db } from '../../redis/db.ts';

/** Whether a session admits a plan. */
export interface Admission {
  admitted: boolean;
  /** Most Sonnet tasks that this plan may have. */
  allowed: number;
  /** Tasks planned or done in the session, without this plan. */
  haiku: number;
  sonnet: number;
}

/**
 * Admits a plan, or returns how many Sonnet tasks it may have. One step in Redis, so that missions that plan at the same
 * time cannot each use the same room.
 *
 * The rule: at least nine in ten tasks of a session go to Haiku, and a plan may have max(1, 10 %) Sonnet tasks. So a
 * plan of n tasks may have floor((session's tasks + n) / 10) − session's Sonnet tasks; at least 1 while the session has no
 * Sonnet task; never more than max(1, floor(n / 10)).
 *
 * Edge cases:
 * - The first small plan may have its one Sonnet task, so a session may be below 90 % until it has ten tasks. Every later
 *   plan gets the room that is left, which may be none.
 * - The number of a model's tasks in a session is the larger of planned and done. So a planned task is not counted again
 *   when it is done; Haiku tasks that people add make room, Sonnet tasks that they add use it.
 * - A planned task counts even if it fails, is skipped or is never added.
 * - A mission has one admission. The same plan is admitted again (after a crash); another plan of the same mission replaces
 *   the first; a refused plan changes nothing.
 * - Tasks of other models than Haiku and Sonnet do not count. Planning and synthesis are no tasks.
 *
 * @param plan tasks by model, each entry of `for_each` counted
 * @param mode `look` changes nothing
 */
export async function admitPlan(
  { keys, scripts }: Db,
  { missionId, session }: { missionId: string; session: string },
  plan: { haiku: number; sonnet: number },
  mode: 'admit' | 'look' = 'admit',
): Promise<Admission> {
  const [admitted = 0, allowed = 0, haiku = 0, sonnet = 0] = await scripts['admit-plan'](
    { delegation: keys.delegation(session), totals: keys.sessionTotals(session), mission: keys.mission(missionId) },
    [plan.haiku, plan.sonnet, mode],
  );
  return { admitted: admitted === 1, allowed, haiku, sonnet };
}

/** Most Sonnet tasks that a plan of `maxTasks` tasks may have in this session now. The planner gets it as `max_sonnet`. */
export async function readSonnetRoom(
  db: Db,
  mission: { missionId: string; session: string },
  maxTasks: number,
): Promise<number> {
  return (await admitPlan(db, mission, { haiku: maxTasks, sonnet: 0 }, 'look')).allowed;
}

/**
 * Builds the `admit` of `toPlanCall`. A plan with more Sonnet tasks than the session has room for is refused with the
 * numbers.
 * @param mode `look` for a dry run, whose plan is not carried out
 */
export function createPlanAdmission(
  db: Db,
  mission: { missionId: string; session: string },
  mode: 'admit' | 'look' = 'admit',
): (plan: Plan) => Promise<Checked<Plan>> {
  return async (plan) => {
    const counts = countByModel(plan);
    const { admitted, allowed, haiku, sonnet } = await admitPlan(db, mission, counts, mode);
    if (admitted) return { ok: true, value: plan };
    const total = countOf(counts.haiku + counts.sonnet, 'task');
    return {
      ok: false,
      problem: `the plan gives ${counts.sonnet} of ${total} to sonnet: session ${mission.session} has ${haiku} haiku and ${sonnet} sonnet tasks already and nine in ten must go to haiku, so at most ${allowed} may; give the others to haiku`,
    };
  };
}
