import type { TASK_KINDS } from '../../../queues/kinds.ts';
import type { PlanNode } from './plan.ts';

/** Which model a kind of task goes to where the plan does not give one of the four reasons for Sonnet. */
const ROUTES: Readonly<Record<(typeof TASK_KINDS)[number], 'haiku'>> = {
  file: 'haiku',
  git: 'haiku',
  'api-test': 'haiku',
  transform: 'haiku',
  search: 'haiku',
  analysis: 'haiku',
  docs: 'haiku',
  other: 'haiku',
};

/** The model id of a planned task: Sonnet only with a stated reason, whatever else the plan says. */
export function toModelOf(
  node: Pick<PlanNode, 'kind' | 'model' | 'reason'>,
  config: { FLEET_HAIKU_MODEL: string; FLEET_SONNET_MODEL: string },
): string {
  const route = node.model === 'sonnet' && node.reason !== null ? 'sonnet' : ROUTES[node.kind];
  return route === 'sonnet' ? config.FLEET_SONNET_MODEL : config.FLEET_HAIKU_MODEL;
}
