import type { TaskData } from '../../../queues/tasks.ts';
import type { Config } from '../../config/environment.ts';
import { TaskFailedError } from '../../errors.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import { chooseModel } from '../../routing/choose-model.ts';
import { toRouteAsk } from '../../routing/route-ask.ts';
import { toRouteTable } from '../../routing/route-table.ts';

/** At least one model, in their order. */
export interface ModelsForRun {
  models: CatalogEntry[];
  /** The route of `models.json` that chose them, as a person reads it; null: none did. */
  route: string | null;
  /** Models of routes that cannot be called, a line each. */
  unknown: string[];
}

/**
 * The models that may do a task, in their order, as this worker's own configuration says: what was allowed when the task was
 * enqueued may be forbidden now.
 * @param known `contextBytes`: UTF-8 bytes of the memory contexts that are sent with it; `vendors`: those that may see it, null: all
 * @throws TaskFailedError `model`: none may
 */
export function chooseForRun(
  task: TaskData,
  known: { contextBytes: number; vendors: readonly string[] | null },
  { config, catalog, at }: { config: Config; catalog: Catalog; at: Date },
): ModelsForRun {
  // It calls no model; its name is only what a ledger's row and the task's identity need.
  if (task.built_in !== undefined) {
    return { models: [catalog.find(task.model ?? config.FLEET_HAIKU_MODEL, at)], route: null, unknown: [] };
  }
  const choice = chooseModel(toRouteAsk(task, known), toRouteTable(config, catalog, at));
  if (choice.kind === 'refusal') throw new TaskFailedError('model', choice.message);
  const { entry, next, route, why, unknown } = choice;
  return { models: [entry, ...next], route: route === null ? null : why, unknown };
}
