import type { KnownNames } from '../../tasks/known-names.ts';
import { toShownState } from '../mission/shown-state.ts';
import { checkPlan } from '../plan/check.ts';
import type { PlanModels } from '../plan/plan-models.ts';
import { MOST_TASKS } from '../plan/prompt.ts';
import type { StoredReview } from './find-review.ts';

/** Why the plan of a mission cannot run now, whoever wrote it. Null: nothing keeps it. */
export function findObstacle(
  { id, record, input }: StoredReview,
  { workspaces }: Pick<KnownNames, 'workspaces'>,
): string | null {
  const { state, finding, approval, workspace, problem } = record;
  const shown = `fleet mission ${id} shows it`;
  if (finding !== null) return `mission ${id}: is done, and its plan has run; ${shown}`;
  if (approval !== null) return `mission ${id}: its plan was approved by ${approval.by} at ${approval.at}; ${shown}`;
  if (toShownState(record) === 'cancelled') return `mission ${id}: was cancelled; fleet retry ${id} runs it after all`;
  if (state === 'failed') return `mission ${id}: has failed: ${problem}; fleet retry ${id}`;
  if (state === 'asks') return `mission ${id}: asks: ${problem}; fleet resume ${id}`;
  if (input === null) {
    return `mission ${id}: a version before this one planned it and kept its quorum, topics and limits in its job, which is gone; plan it anew: fleet mission "…" --dry-run`;
  }
  if (input.dry_run !== true && input.approve !== true && record.excess === '') {
    return `mission ${id}: its plan waits for nobody, because it was given without --dry-run and --approve; ${shown}`;
  }
  if (state === 'running') return `mission ${id}: its plan is being stored; try again in a second`;
  if (workspace !== null && workspaces !== null && !workspaces.has(workspace)) {
    return `mission ${id}: its workspace ${JSON.stringify(workspace)} is gone: no worker that is up has it, nor FLEET_WORKSPACES here`;
  }
  return null;
}

/** Why this version of the program would not have made the plan. Null: it would. An edited plan is checked itself. */
export function findOldRule({ id, record }: StoredReview, models: PlanModels): string | null {
  const maxSonnet = record.excess === '' ? MOST_TASKS : null;
  const checked = checkPlan(record.plan, { maxTasks: MOST_TASKS, maxSonnet, models });
  if (checked.ok) return null;
  return `mission ${id}: another version of the program made its plan, or other models were configured, and it breaks rules of this one:\n${checked.problem}\nCorrect it (fleet mission ${id} --plan > plan.json, then fleet mission run ${id} --edit plan.json), or plan it anew`;
}
