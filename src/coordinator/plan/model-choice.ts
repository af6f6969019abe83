import type { PlanNode } from './plan.ts';

/** Returns the model id of a planned task: Sonnet if the task states a reason, else Haiku. Its kind has no influence. */
export function chooseModel(
  { model, reason }: Pick<PlanNode, 'model' | 'reason'>,
  config: { FLEET_HAIKU_MODEL: string; FLEET_SONNET_MODEL: string },
): string {
  return model === 'sonnet' && reason !== null ? config.FLEET_SONNET_MODEL : config.FLEET_HAIKU_MODEL;
}
