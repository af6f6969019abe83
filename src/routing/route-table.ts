import type { Config } from '../config/environment.ts';
import type { Catalog } from '../pricing/catalog.ts';
import type { RouteTable } from './types.ts';

/** The routes of a fleet, as its configuration has them. */
export function toRouteTable(
  { routes, models, FLEET_HAIKU_MODEL }: Pick<Config, 'routes' | 'models' | 'FLEET_HAIKU_MODEL'>,
  catalog: Catalog,
  at: Date,
): RouteTable {
  return { routes, own: models.map(({ id }) => id), catalog, defaultModel: FLEET_HAIKU_MODEL, at };
}
