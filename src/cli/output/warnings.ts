import type { MissionInput } from '../../../queues/missions.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import type { Config } from '../../config/environment.ts';
import { REPLY_TOKENS } from '../../haiku/loop/reply-room.ts';
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
async function toFirstCall(model: string, mission: MissionInput): Promise<CallSize> {
  const { goal, max_tasks: given, paper } = mission;
  const { toReplyRoom } = await import('../../coordinator/calls/reply-room.ts');
  const toSize = ({ replyTokens }: { replyTokens?: number }): CallSize => ({
    model,
    maxTokens: toReplyRoom(findModel(model, new Date()), replyTokens),
  });
  if (paper !== undefined) {
    const { toOutlineCall } = await import('../../coordinator/paper/outline-call.ts');
    return toSize(toOutlineCall({ name: 'outline', model, goal, findings: [] }));
  }
  const { MOST_TASKS, toPlanCall } = await import('../../coordinator/plan/prompt.ts');
  const limits = { maxTasks: given ?? MOST_TASKS, maxSonnet: 1 };
  return toSize(toPlanCall({ model, goal, workspace: null, files: [], archive: null, limits }));
}

/** A call of the most expensive kind that a budget must allow. */
interface CallSize {
  /** Catalog id. */
  model: string;
  /** Most tokens of the reply, thinking included. */
  maxTokens: number;
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
  call: CallSize = {
    model: config.FLEET_HAIKU_MODEL,
    maxTokens: REPLY_TOKENS,
  },
): string | null {
  const model = findModel(call.model, new Date());
  const maxTokens = Math.min(model.maxOutputTokens, call.maxTokens);
  const least = worstCaseNanoUsd(model, { inputTokensBound: 0, maxTokens }); // without the prompt, which costs more
  if (leftNanoUsd > least) return null;
  return `less than one call of ${model.id} may cost (over ${formatUsd(least, 4)})`;
}
