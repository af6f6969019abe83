import { toTaskId } from '../../queues/ids.ts';
import { describeDone, describeNotDone } from '../../src/coordinator/mission/describe-done.ts';
import type { MissionStatus } from '../../src/coordinator/mission/handle-types.ts';
import type { ReviewedPlan } from '../../src/coordinator/mission/review-types.ts';
import { describeState, hasEnded, isPlanned } from '../../src/coordinator/mission/shown-state.ts';
import { countOf } from '../../src/text/plural.ts';
import { startOf } from '../../src/text/start-of.ts';
import { toVisible } from '../access/visible-text.ts';

/** What a person can do with a mission in its page. */
export type MissionAction = 'run' | 'park' | 'resume' | 'answer';

/** Tasks that a page shows, with their states; `fleet mission ID --plan` has all of them. */
export const MOST_TASKS = 500;
const MOST_CHARACTERS = 400;
const MOST_GOAL = 4_000;

/** A mission as its page shows it. @param plan null: it has none. @param states of its tasks, by their numbers; none while it may still run */
export function toMissionPage(
  mission: MissionStatus,
  plan: ReviewedPlan | null,
  states: ReadonlyMap<number, string> = new Map(),
) {
  const { id, goal, state, session, workspace, counts, problem, createdAt, finding, budget } = mission;
  return {
    mission: {
      id,
      goal: toVisible(startOf(goal, MOST_GOAL)),
      state,
      words: describeState(mission),
      isPlanned: isPlanned(mission),
      session,
      workspace,
      counts,
      problem: toVisible(problem),
      createdAt,
      finding,
      limitNanoUsd: budget.limit,
      costNanoUsd: budget.settled + budget.uncertain,
      freeLocal: budget.freeLocal ?? 0,
      approval: mission.approval,
      outcome: hasEnded(mission) ? toOutcome(mission) : null,
      answers: mission.answers.map((answer) => ({ ...answer, text: toVisible(answer.text) })),
    },
    plan: plan === null ? null : toPlan(plan, plan.canRun || isPlanned(mission), states),
    actions: listActions(mission, plan),
  };
}

/** What an ended mission did, in place of the forecast of its plan. */
function toOutcome({ counts, createdAt, endedAt }: MissionStatus) {
  const ofAll = countOf(counts.total, 'task');
  return {
    tasks: counts.total === 0 ? null : [describeDone(counts, `${ofAll} done`), ...describeNotDone(counts)].join(', '),
    /** Null: not known. */
    tookMs: createdAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(createdAt),
  };
}

/** @param isWaiting none of its tasks was added, so that none has a page */
function toPlan(
  { missionId, version, approach, tasks, ...plan }: ReviewedPlan,
  isWaiting: boolean,
  states: ReadonlyMap<number, string>,
) {
  const { forecast, notes, obstacle, canRun } = plan;
  return {
    version,
    approach: toVisible(approach),
    total: tasks.length,
    tasks: tasks.slice(0, MOST_TASKS).map(({ n, task, description, kind, model, reason, dependsOn, dropped }) => ({
      n,
      task,
      state: dropped ? 'left out' : (states.get(n) ?? null),
      jobId: isWaiting || dropped ? null : toTaskId(missionId, n),
      description: toVisible(startOf(description, MOST_CHARACTERS)),
      kind,
      model,
      reason,
      dependsOn,
      dropped,
    })),
    forecast,
    notes,
    canRun,
    obstacle,
  };
}

function listActions({ state, finding }: MissionStatus, plan: ReviewedPlan | null): MissionAction[] {
  const canRun = plan?.canRun === true;
  switch (state) {
    case 'planned':
      return canRun ? ['run', 'park'] : ['park'];
    case 'running':
      return ['park'];
    case 'asks':
      return ['answer', 'resume', 'park'];
    case 'parked':
      return canRun ? ['run', 'resume'] : ['resume'];
    case 'failed':
      return ['answer'];
    case 'cancelled':
      return [];
    case 'done':
      return canRun && finding === null ? ['run'] : [];
  }
}
