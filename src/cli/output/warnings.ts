import type { TaskInput } from '../../../queues/tasks.ts';
import type { MissionInput } from '../../../queues/missions.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import type { Config } from '../../config/environment.ts';
import { REPLY_TOKENS } from '../../routing/reply-room.ts';
import { createSizeMemory, toGroupName } from '../../haiku/loop/size-memory.ts';
import { catalogOf, type Catalog } from '../../pricing/catalog.ts';
import { worstCaseNanoUsd } from '../../pricing/cost.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { isAnyoneUp as readAnyoneUp } from '../../swarm/presence.ts';

/** While Redis is away nothing is known, and nothing is warned of: the wait that follows says so. */
function isAnyoneUp(...args: Parameters<typeof readAnyoneUp>): Promise<boolean> {
  return readAnyoneUp(...args).catch(() => true);
}

/** Warns where no worker is up: the command waits for tasks. @param wanted who may take them; default: the fleet's workers */
export async function warnWithoutWorkers({ inner }: OpenFleet, wanted?: TaskInput['for']): Promise<void> {
  if (wanted === 'outside') return;
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

/** Warns where neither a coordinator nor a worker is up: rules run in one of them. @param wanted who may take the tasks of the rule */
export async function warnWithoutRunner({ inner }: OpenFleet, wanted?: TaskInput['for']): Promise<void> {
  if (await isAnyoneUp(inner.db, 'haiku')) return;
  if (!(await isAnyoneUp(inner.db, 'coordinator'))) {
    console.error('⚠️  No process is up that runs rules; nothing is missed: fleet up starts some');
  } else if (wanted !== 'outside') {
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
  const call = await toFirstCall(config, mission);
  const tooLittle = describeTightBudget(catalogOf(config), toNanoUsd(budget), call);
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
async function toFirstCall(config: Config, mission: MissionInput): Promise<CallSize> {
  const { FLEET_COORDINATOR_MODEL: model } = config;
  const catalog = catalogOf(config);
  const { goal, max_tasks: given, paper } = mission;
  const { toReplyRoom } = await import('../../coordinator/calls/reply-room.ts');
  const toSize = ({ replyTokens }: { replyTokens?: number }): CallSize => ({
    model,
    maxTokens: toReplyRoom(catalog.find(model, new Date()), replyTokens),
  });
  if (paper !== undefined) {
    const { toOutlineCall } = await import('../../coordinator/paper/outline-call.ts');
    return toSize(toOutlineCall({ name: 'outline', model, goal, findings: [] }));
  }
  const { MOST_TASKS, toPlanCall } = await import('../../coordinator/plan/prompt.ts');
  const { toPlanModels } = await import('../../coordinator/plan/plan-models.ts');
  const models = toPlanModels(config, { vendors: null, at: new Date() });
  const limits = { maxTasks: given ?? MOST_TASKS, maxSonnet: 1, models };
  return toSize(toPlanCall({ catalog, model, goal, workspace: null, files: [], archive: null, limits }));
}

/** A call of the most expensive kind that a budget must allow. */
interface CallSize {
  /** Catalog id. */
  model: string;
  /** Most tokens of the reply, thinking included. */
  maxTokens: number;
}

/**
 * Whether the rest of a budget is too small for a worker's call, in the room that such a call has now (`describeTightBudget`).
 */
export async function describeTightForWorkers({ inner }: OpenFleet, leftNanoUsd: number): Promise<string | null> {
  const { FLEET_HAIKU_MODEL: model, FLEET_HAIKU_EFFORT: effort } = inner.config;
  const repliesOf = createSizeMemory(inner.db);
  const groups = await Promise.all([null, {}].map((workspace) => repliesOf(toGroupName(model, effort, workspace))));
  const maxTokens = Math.min(...groups.map((group) => group.toFirstRoom(REPLY_TOKENS)));
  return describeTightBudget(catalogOf(inner.config), leftNanoUsd, { model, maxTokens });
}

/**
 * Whether the rest of a budget is too small for a call. A call is reserved at its worst case, so that a smaller rest allows
 * none.
 * @param leftNanoUsd what the budget still allows, nano-dollars
 * @param call the call that it must allow
 * @returns what is wrong with the rest, for people; null where it allows a call
 */
function describeTightBudget(catalog: Catalog, leftNanoUsd: number, call: CallSize): string | null {
  const model = catalog.find(call.model, new Date());
  const maxTokens = Math.min(model.maxOutputTokens, call.maxTokens);
  const least = worstCaseNanoUsd(model, { inputTokensBound: 0, maxTokens }); // without the prompt, which costs more
  if (leftNanoUsd > least) return null;
  return `less than one call of ${model.id} may cost (over ${formatUsd(least, 4)})`;
}
