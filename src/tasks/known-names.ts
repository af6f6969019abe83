import { UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { readWorkers } from '../swarm/heartbeat.ts';
import { toContextBytes } from '../contexts/memory-contexts.ts';
import { mergeVendors } from '../routing/allowed-vendors.ts';
import type { RouteTable } from '../routing/types.ts';
import type { Config } from '../config/environment.ts';
import { catalogOf, type Catalog } from '../pricing/catalog.ts';

/** What a task's names are checked against; read once for many tasks. */
export interface KnownNames {
  /** Null: unknown, because no worker is up and none are configured here. */
  workspaces: Set<string> | null;
  contexts: Set<string>;
  catalog: Catalog;
  /** UTF-8 bytes that a memory context adds to a prompt, by its name. Absent: unknown, and counted as none. */
  contextBytes?: ReadonlyMap<string, number>;
  /** The routes of this process' own configuration. Absent: none. */
  table?: Configured['table'];
  /** The vendors that may see what is in a workspace, by its name, as every live worker and this process say. Absent: all may. */
  vendors?: Readonly<Record<string, readonly string[]>>;
}

/** What this process' own configuration knows. */
export interface Configured {
  workspaces: string[];
  catalog: Catalog;
  table?: Omit<RouteTable, 'catalog' | 'at'>;
  /** Id of the model that plans missions. */
  coordinator?: string;
  vendors?: Readonly<Record<string, readonly string[]>>;
}

export function toConfigured(
  config: Pick<Config, 'FLEET_WORKSPACES' | 'models'> &
    Partial<Pick<Config, 'FLEET_HAIKU_MODEL' | 'FLEET_COORDINATOR_MODEL' | 'routes' | 'workspaceVendors'>>,
): Configured {
  const { models, routes = [], FLEET_HAIKU_MODEL: defaultModel, workspaceVendors: vendors = {} } = config;
  const { FLEET_COORDINATOR_MODEL: coordinator } = config;
  const own = models.map(({ id }) => id);
  return {
    workspaces: Object.keys(config.FLEET_WORKSPACES),
    catalog: catalogOf(config),
    ...(defaultModel === undefined ? {} : { table: { routes, own, defaultModel } }),
    ...(coordinator === undefined ? {} : { coordinator }),
    vendors,
  };
}

export async function readKnownNames(db: Db, configured: Configured): Promise<KnownNames> {
  const [workers, contexts] = await Promise.all([readWorkers(db), db.redis.hgetall(db.keys.contexts)]);
  const names = new Set([...configured.workspaces, ...workers.flatMap(({ workspaces }) => workspaces)]);
  const isKnown = configured.workspaces.length > 0 || workers.length > 0;
  return {
    workspaces: isKnown ? names : null,
    contexts: new Set(Object.keys(contexts)),
    catalog: configured.catalog,
    contextBytes: new Map(Object.entries(contexts).map(([name, json]) => [name, toContextBytes([json])])),
    ...(configured.table === undefined ? {} : { table: configured.table }),
    vendors: mergeVendors([configured.vendors ?? {}, ...workers.map(({ vendors }) => vendors ?? {})]),
  };
}

/** The vendors that may see what is in a workspace, by its name, as every live worker and this process say. */
export async function readVendorsByWorkspace(
  db: Db,
  { vendors = {} }: Pick<Configured, 'vendors'>,
): Promise<Record<string, readonly string[]>> {
  return mergeVendors([vendors, ...(await readWorkers(db)).map((worker) => worker.vendors ?? {})]);
}

/** @throws UsageError for a workspace that no worker has and that is not configured here */
export function assertWorkspace(name: string, { workspaces }: Pick<KnownNames, 'workspaces'>): void {
  if (workspaces === null || workspaces.has(name)) return;
  const names = [...workspaces].toSorted().join(', ');
  throw new UsageError(
    `workspace: ${JSON.stringify(name)} is not known; ${names === '' ? 'no workspaces are configured' : `known: ${names}`} (FLEET_WORKSPACES=name=/absolute/folder)`,
  );
}
