import type { ModelRow, RouteRow } from '../../../src/config/model-rows/types.ts';
import { toPlanModels, type PlanModels } from '../../../src/coordinator/plan/plan-models.ts';

/** What plans may name where nothing is configured. */
const DEFAULTS = {
  FLEET_HAIKU_MODEL: 'claude-haiku-5-5',
  FLEET_SONNET_MODEL: 'claude-sonnet-5-5',
  FLEET_COORDINATOR_MODEL: 'claude-sonnet-5-5',
};

export interface GivenModels extends Partial<typeof DEFAULTS> {
  models?: ModelRow[];
  routes?: RouteRow[];
  vendors?: readonly string[];
  canCall?: Parameters<typeof toPlanModels>[1]['canCall'];
}

/** The models that plans may name, on the day of the built-in rows. */
export function toTestModels({ models = [], routes = [], vendors, canCall, ...ids }: GivenModels = {}): PlanModels {
  const at = new Date('2026-11-27T12:00:00Z');
  return toPlanModels(
    { ...DEFAULTS, ...ids, models, routes },
    { vendors: vendors ?? null, at, ...(canCall === undefined ? {} : { canCall }) },
  );
}
