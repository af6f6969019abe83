import type { Config } from '../../config/environment.ts';
import { UsageError } from '../../errors.ts';
import { catalogOf, type CatalogEntry } from '../../pricing/catalog.ts';

/**
 * Returns the model that plans and answers missions.
 * @throws UsageError for one that cannot hold its replies to a schema; TaskFailedError `model` for one that is unknown or retired
 */
export function findCoordinatorModel(
  config: Pick<Config, 'FLEET_COORDINATOR_MODEL' | 'models'>,
  at: Date,
): CatalogEntry {
  const catalog = catalogOf(config);
  const entry = catalog.find(config.FLEET_COORDINATOR_MODEL, at);
  if (entry.abilities.schema) return entry;
  const able = catalog.list(at).filter(({ abilities }) => abilities.schema);
  throw new UsageError(
    `FLEET_COORDINATOR_MODEL: expected a model that replies by a schema, got "${entry.id}"; such are ${able.map(({ id }) => id).join(', ')}`,
  );
}
