import type { TaskInput } from '../../queues/tasks.ts';
import { OUTSIDE_VENDOR } from '../config/workspaces.ts';
import { FleetError, UsageError } from '../errors.ts';
import { toAllowedVendors } from '../routing/allowed-vendors.ts';
import { chooseModel } from '../routing/choose-model.ts';
import { toRouteAsk } from '../routing/route-ask.ts';
import type { RouteAsk, RouteTable } from '../routing/types.ts';
import type { KnownNames } from './known-names.ts';

/**
 * Checks that some model may do a task, and each to which it is escalated.
 * @param stamp the vendors that what it stems from allows; default: all
 * @throws UsageError that says which row would do; TaskFailedError for a model that is unknown, retired or without a price
 */
export function assertModels(task: TaskInput, known: KnownNames, stamp?: readonly string[]): void {
  const vendors = toAllowedVendors({ workspace: task.workspace, vendors: stamp }, known.vendors ?? {});
  if (vendors !== null) assertTakers(task, vendors);
  if (task.built_in !== undefined) return; // it is done without a model
  const ask = toRouteAsk(task, { contextBytes: toContextBytes(task, known), vendors });
  const { catalog } = known;
  if (known.table !== undefined || task.model !== undefined) {
    const { routes = [], own = [], defaultModel = '' } = known.table ?? {};
    const table = { routes, own, defaultModel, catalog, at: new Date() };
    if (task.for !== 'outside' || task.model !== undefined) assertChoice('model', ask, table);
    for (const model of task.escalate ?? []) assertChoice('escalate', { ...ask, model }, table);
  }
}

/** The models of the catalog that may do a task in place of its own, in the catalog's order. */
export function listUsableModels(task: TaskInput, known: KnownNames, stamp?: readonly string[]): string[] {
  return known.catalog
    .list(new Date())
    .map(({ id }) => id)
    .filter((model) => {
      try {
        assertModels({ ...task, model }, known, stamp);
        return true;
      } catch (error) {
        if (error instanceof FleetError) return false;
        throw error;
      }
    });
}

function assertChoice(field: 'model' | 'escalate', ask: RouteAsk, table: RouteTable): void {
  const choice = chooseModel(ask, table);
  if (choice.kind === 'refusal') throw new UsageError(`${field}: ${choice.message}`);
}

/** Nobody knows which models agents and programs outside of the fleet use. */
function assertTakers({ for: takers = 'fleet', workspace = '' }: TaskInput, vendors: readonly string[]): void {
  if (takers === 'fleet' || vendors.includes(OUTSIDE_VENDOR)) return;
  throw new UsageError(
    `for: ${takers} gives the task to outside workers, and workspace ${workspace} allows only ${vendors.join(', ')} (;vendors=… in FLEET_WORKSPACES; ${OUTSIDE_VENDOR} among them would allow it)`,
  );
}

function toContextBytes({ contexts = [], shard }: TaskInput, { contextBytes }: KnownNames): number {
  if (contexts.length === 0 && shard === undefined) return 0;
  const names = new Set([...contexts, ...(shard === undefined ? [] : [shard])]);
  return [...names].reduce((sum, name) => sum + (contextBytes?.get(name) ?? 0), 0);
}
