import type { TaskInput } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { toAllowedVendors } from './allowed-vendors.ts';
import { chooseModel } from './choose-model.ts';
import { toRouteAsk } from './route-ask.ts';
import { toRouteTable } from './route-table.ts';

type RouteConfig = Pick<Config, 'routes' | 'models' | 'FLEET_HAIKU_MODEL' | 'workspaceVendors'>;

/**
 * Returns the function that tells to which model a task goes while all take calls: for forecasts, which count no memory contexts. A
 * task that no model may do is counted on the one that it names, or on the default one.
 */
export function createModelOf(config: RouteConfig, at: Date): (task: TaskInput) => string {
  const table = toRouteTable(config, catalogOf(config), at);
  return (task) => {
    const vendors = toAllowedVendors(task, config.workspaceVendors);
    const choice = chooseModel(toRouteAsk(task, { contextBytes: 0, vendors }), table);
    return choice.kind === 'choice' ? choice.entry.id : (task.model ?? config.FLEET_HAIKU_MODEL);
  };
}
