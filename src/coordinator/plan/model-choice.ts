import type { PlanNode } from './plan.ts';

/** The model id of a planned task. Sonnet only with a stated reason; Haiku for every other task, whatever its kind. */
export function chooseModel(
  { model, reason }: Pick<PlanNode, 'model' | 'reason'>,
  config: { FLEET_HAIKU_MODEL: string; FLEET_SONNET_MODEL: string },
): string {
  return model === 'sonnet' && reason !== null ? config.FLEET_SONNET_MODEL : config.FLEET_HAIKU_MODEL;
}
