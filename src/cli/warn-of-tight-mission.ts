import type { MissionInput } from '../../queues/missions.ts';
import type { Config } from '../config/environment.ts';
import type { StructuredCall } from '../coordinator/calls/types.ts';
import { toNanoUsd } from '../pricing/money.ts';
import { describeTooLittle } from './cheapest-call.ts';

/**
 * Says before anything is paid that a mission's or paper's budget has no room for its first own call. No error: the archive
 * is asked all the same, and a person may raise the budget later.
 */
export async function warnOfTightMission(config: Config, mission: MissionInput, id: string): Promise<void> {
  const { budget_usd: budget, paper } = mission;
  if (budget === undefined) return;
  const call = await toFirstCall(config.FLEET_SONNET_MODEL, mission);
  const tooLittle = describeTooLittle(config, toNanoUsd(budget), call);
  if (tooLittle === null) return;
  const [what, smaller] =
    paper === undefined
      ? ['mission is parked before its plan', '; --max-tasks makes that call smaller']
      : ['paper is parked before its outline', ''];
  console.error(
    `⚠️  --budget ${budget} is ${tooLittle}: the ${what}${smaller}. fleet budget USD --mission ${id} gives it more`,
  );
}

/** The outline of a paper, the plan of another mission. */
async function toFirstCall(model: string, mission: MissionInput): Promise<StructuredCall<unknown>> {
  const { goal, max_tasks: given, paper } = mission;
  if (paper !== undefined) {
    const { toOutlineCall } = await import('../coordinator/paper/outline-call.ts');
    return toOutlineCall({ name: 'outline', model, goal, findings: [] });
  }
  const { MOST_TASKS, toPlanCall } = await import('../coordinator/plan/prompt.ts');
  const limits = { maxTasks: given ?? MOST_TASKS, maxSonnet: 1 };
  return toPlanCall({ model, goal, workspace: null, files: [], archive: null, limits });
}
