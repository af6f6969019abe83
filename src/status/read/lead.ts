import { TaskFailedError } from '../../errors.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import { isVendorAClass, toModelClass, toModelName } from '../../pricing/model-class.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import type { StatusSnapshot } from '../types.ts';

/**
 * Tells the coordinator's class of model from the others.
 * @param totals the session's totals
 * @param options.workerModel of tasks for which no route and no person names another one
 */
export function toLead(
  totals: Record<string, string>,
  options: { coordinatorModel?: string; workerModel?: string; catalog: Catalog },
): StatusSnapshot['lead'] {
  const { coordinatorModel: model, workerModel, catalog } = options;
  if (model === undefined) return null;
  const lead = toKnown(model, catalog);
  return {
    model,
    name: toModelName(lead),
    tasks: toStoredCount(totals[toTasksField(lead)]),
    isWorkers: workerModel !== undefined && toTasksField(toKnown(workerModel, catalog)) === toTasksField(lead),
  };
}

type Known = Pick<CatalogEntry, 'id' | 'costVendor'>;

/** The session's total of tasks on models of this one's class. `finish-task.lua` counts them. */
function toTasksField({ id, costVendor }: Known): string {
  return isVendorAClass(costVendor) ? `${costVendor}:tasks` : `class:${toModelClass(id)}:tasks`;
}

/** A model that is unknown has a class nevertheless: the rest of the status is still shown. */
function toKnown(id: string, catalog: Catalog): Known {
  try {
    return catalog.findPrices(id, new Date());
  } catch (error) {
    if (error instanceof TaskFailedError) return { id, costVendor: '' };
    throw error;
  }
}
