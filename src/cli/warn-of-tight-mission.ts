import type { MissionInput } from '../../queues/missions.ts';
import type { Config } from '../config/environment.ts';
import { toOutlineCall } from '../coordinator/paper/outline-call.ts';
import { MOST_TASKS, toPlanCall } from '../coordinator/plan/prompt.ts';
import { toNanoUsd } from '../pricing/money.ts';
import { describeTooLittle } from './cheapest-call.ts';

/**
 * Says before anything is paid that a mission's or paper's budget has no room for its first own call. No error: the archive
 * is asked all the same, and a person may raise the budget later.
 */
export function warnOfTightMission(config: Config, mission: MissionInput, id: string): void {
  const { goal, budget_usd: budget, max_tasks: maxTasks = MOST_TASKS, paper } = mission;
  if (budget === undefined) return;
  const model = config.FLEET_SONNET_MODEL;
  const limits = { maxTasks, maxSonnet: 1 };
  const call =
    paper === undefined
      ? toPlanCall({ model, goal, workspace: null, files: [], archive: null, limits })
      : toOutlineCall({ name: 'outline', model, goal, findings: [] });
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
