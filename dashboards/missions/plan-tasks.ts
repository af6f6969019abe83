import { SONNET_REASONS } from '../../queues/reasons.ts';
import type { MissionStatus } from '../../src/coordinator/mission/handle-types.ts';
import { readNodes, type NodeView } from '../../src/coordinator/mission/nodes.ts';
import type { ReviewedPlan } from '../../src/coordinator/mission/review-types.ts';
import type { StoredReview } from '../../src/coordinator/review/find-review.ts';
import { toReviewModels, type PlanParts } from '../../src/coordinator/review/read-plan.ts';
import { isCancelled } from '../../src/jobs/cancelled.ts';
import type { Db } from '../../src/redis/db.ts';
import { MOST_TASKS } from './mission-page.ts';

const HAS_ENDED = new Set<MissionStatus['state']>(['done', 'failed', 'cancelled']);

/** Where the tasks of a plan are that a page shows: number → one word. Its commands depend on these tasks alone. */
export async function readTaskStates(
  db: Db,
  { missionId, tasks }: Pick<ReviewedPlan, 'missionId' | 'tasks'>,
  state: MissionStatus['state'],
): Promise<Map<number, string>> {
  const shown = tasks.slice(0, MOST_TASKS).filter(({ dropped }) => !dropped);
  const views = await readNodes(db, missionId, shown);
  return new Map(views.map((view) => [view.node.n, toWord(view, HAS_ENDED.has(state))]));
}

/** @param hasEnded whether the mission has: then nothing waits any more */
function toWord({ state, reason }: NodeView, hasEnded: boolean): string {
  if (state === 'failed' && isCancelled(reason)) return 'cancelled';
  if (state === 'pending') return hasEnded ? 'not begun' : 'waits';
  return state;
}

/** One planned task as a person may edit it. Null: the plan has none of this id. */
export function toTaskForm(review: StoredReview, id: string, parts: Pick<PlanParts, 'db' | 'config'>) {
  const planned = review.record.plan.tasks.find((task) => task.id === id);
  if (planned === undefined) return null;
  const { description, model, reason = null, for_each: each = null } = planned;
  const { offered } = toReviewModels(parts, review);
  const models = offered.map(({ name, isExpensive }) => ({ name, isExpensive }));
  return {
    version: review.version,
    task: id,
    description,
    model,
    reason,
    /** How many tasks it becomes, of which none is changed alone; null: one. */
    entries: each?.length ?? null,
    models,
    reasons: SONNET_REASONS,
  };
}
