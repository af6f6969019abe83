import type { PlanNode } from './plan.ts';
import { BETTER_NAME, DEFAULT_NAME } from './plan-models.ts';

/**
 * Returns the model that a planned task names in its job: none for `haiku`, so that the routes choose, and for `sonnet` without a
 * reason, which no checked plan has; else the model's id. Its kind has no influence.
 */
export function chooseModel(
  { model, reason }: Pick<PlanNode, 'model' | 'reason'>,
  { FLEET_SONNET_MODEL }: { FLEET_SONNET_MODEL: string },
): { model?: string } {
  if (model === DEFAULT_NAME || (model === BETTER_NAME && reason === null)) return {};
  return { model: model === BETTER_NAME ? FLEET_SONNET_MODEL : model };
}
