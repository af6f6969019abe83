import { countOf } from '../../text/plural.ts';
import { countByModel } from '../plan/check.ts';
import type { Plan } from '../plan/plan.ts';
import type { Checked } from '../calls/types.ts';
import type { Db } from '../../redis/db.ts';

/** What the session says of a plan. */
export interface Admission {
  admitted: boolean;
  /** Sonnet tasks this plan may hold. */
  allowed: number;
  /** Tasks planned or done in the session besides this plan. */
  haiku: number;
  sonnet: number;
}

/**
 * Admits a plan, or says how many Sonnet tasks it may hold, in one step in Redis, so that missions that plan at the same
 * time cannot each take the same room.
 *
 * The rule: at least nine in ten tasks of a session go to Haiku, and a plan may hold max(1, 10 %) Sonnet tasks. So a
 * plan of n tasks may hold floor((session's tasks + n) / 10) − session's Sonnet tasks; at least 1 while the session has no
 * Sonnet task; never more than max(1, floor(n / 10)).
 *
 * Its corners:
 * - The first small plan may have its one Sonnet task, so a session can stand below 90 % until it has ten tasks; every
 *   later plan is held to the room there is then, which may be none.
 * - Each model's tasks of a session are the larger of what plans hold and what is done. So a planned task is not counted
 *   again when it is done; Haiku tasks that people add make room, Sonnet tasks that they add take it.
 * - Planned counts, also where the task fails, is skipped or is never added.
 * - A mission has one admission. The same plan again is admitted again (a crash came in between); another plan of the
 *   same mission takes the place of the first; a refused one changes nothing.
 * - Tasks of other models than Haiku and Sonnet count on neither side. Planning and synthesis are no tasks.
 *
 * @param plan tasks by model, every entry of `for_each` counted
 * @param mode `look` asks and changes nothing
 */
export async function admitPlan(
  { keys, scripts }: Db,
  { missionId, session }: { missionId: string; session: string },
  plan: { haiku: number; sonnet: number },
  mode: 'admit' | 'look' = 'admit',
): Promise<Admission> {
  const answer = (await scripts['admit-plan'](
    [keys.delegation(session), keys.sessionTotals(session), keys.mission(missionId)],
    [plan.haiku, plan.sonnet, mode],
  )) as number[];
  const [admitted = 0, allowed = 0, haiku = 0, sonnet = 0] = answer.map(Number);
  return { admitted: admitted === 1, allowed, haiku, sonnet };
}

/** Most Sonnet tasks any plan of up to `maxTasks` may hold in this session now; what the planner is told as `max_sonnet`. */
export async function readSonnetRoom(
  db: Db,
  mission: { missionId: string; session: string },
  maxTasks: number,
): Promise<number> {
  return (await admitPlan(db, mission, { haiku: maxTasks, sonnet: 0 }, 'look')).allowed;
}

/**
 * The `admit` of `toPlanCall`: a plan with more Sonnet tasks than the session has room for is sent back with the numbers.
 * @param mode `look` for a dry run, whose plan nobody carries out
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
