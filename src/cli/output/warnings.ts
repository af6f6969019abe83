import type { MissionInput } from '../../../queues/missions.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import type { Config } from '../../config/environment.ts';
import type { StructuredCall } from '../../coordinator/calls/types.ts';
import { MAX_REPLY_TOKENS } from '../../haiku/interpret-reply.ts';
import { findModel } from '../../pricing/catalog.ts';
import { worstCaseNanoUsd } from '../../pricing/cost.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { isAnyoneUp } from '../../swarm/presence.ts';

/** Warns where no worker is up: the command waits for tasks. */
export async function warnWithoutWorkers({ inner }: OpenFleet): Promise<void> {
  if (await isAnyoneUp(inner.db, 'haiku')) return;
  console.error('⚠️  No worker is up, so that nothing begins: fleet up starts some');
}

/** Warns where no coordinator is up for a mission, or no worker for its tasks. */
export async function warnWithoutCoordinator({ inner }: OpenFleet): Promise<void> {
  if (!(await isAnyoneUp(inner.db, 'coordinator'))) {
    console.error('⚠️  No coordinator is up, so that nothing begins: fleet up starts one');
  } else if (!(await isAnyoneUp(inner.db, 'haiku'))) {
    console.error('⚠️  No worker is up, so that its tasks wait: fleet up starts some');
  }
}

/** Warns where no coordinator or no librarian is up: a paper needs both. */
export async function warnWithoutPaperProcesses({ inner }: OpenFleet): Promise<void> {
  for (const kind of ['coordinator', 'librarian'] as const) {
    if (await isAnyoneUp(inner.db, kind)) continue;
    console.error(`⚠️  No ${kind} is up: the paper waits for one; fleet up starts it`);
  }
}

/** Warns where no librarian is up: the command waits for an answer. */
export async function warnWithoutLibrarian({ inner }: OpenFleet): Promise<void> {
  if (await isAnyoneUp(inner.db, 'librarian')) return;
  console.error('⚠️  No librarian is up: the question waits for one; fleet up starts it');
}

/**
 * Warns, before anything is paid, that the budget of a mission or paper is below its first own call. This is no error: the
 * mission still asks the archive, and a person may raise the budget later.
 */
export async function warnOfTightMission(config: Config, mission: MissionInput, id: string): Promise<void> {
  const { budget_usd: budget, paper } = mission;
  if (budget === undefined) return;
  const call = await toFirstCall(config.FLEET_SONNET_MODEL, mission);
  const tooLittle = describeTightBudget(config, toNanoUsd(budget), call);
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
    const { toOutlineCall } = await import('../../coordinator/paper/outline-call.ts');
    return toOutlineCall({ name: 'outline', model, goal, findings: [] });
  }
  const { MOST_TASKS, toPlanCall } = await import('../../coordinator/plan/prompt.ts');
  const limits = { maxTasks: given ?? MOST_TASKS, maxSonnet: 1 };
  return toPlanCall({ model, goal, workspace: null, files: [], archive: null, limits });
}

/**
 * Whether the rest of a budget is too small for a call. A call is reserved at its worst case, so that a smaller rest allows
 * none.
 * @param leftNanoUsd what the budget still allows, nano-dollars
 * @param call the call that it must allow; default: one of a worker
 * @returns what is wrong with the rest, for people; null where it allows a call
 */
export function describeTightBudget(
  config: Config,
  leftNanoUsd: number,
  call: Pick<StructuredCall<unknown>, 'model' | 'maxTokens'> = {
    model: config.FLEET_HAIKU_MODEL,
    maxTokens: MAX_REPLY_TOKENS,
  },
): string | null {
  const model = findModel(call.model, new Date());
  const maxTokens = Math.min(model.maxOutputTokens, call.maxTokens ?? model.maxOutputTokens);
  const least = worstCaseNanoUsd(model, { inputTokensBound: 0, maxTokens }); // without the prompt, which costs more
  if (leftNanoUsd > least) return null;
  return `less than one call of ${model.id} may cost (over ${formatUsd(least, 4)})`;
}
