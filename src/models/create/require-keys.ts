import { join } from 'node:path';
import { type Config, requireAnthropicKey } from '../../config/environment.ts';
import { ConfigError, TaskFailedError } from '../../errors.ts';
import { type Catalog, type CatalogEntry, createCatalog } from '../../pricing/catalog.ts';
import { findKey, toKeyRule } from './keys.ts';

/**
 * Checks at the start that this machine has the keys of these models.
 * @returns the rows of those that are known
 * @throws ConfigError without one, unless the fleet is offline: nothing falls back to the simulator
 */
export function requireModelKeys(
  config: Config,
  ids: readonly string[],
  catalog: Catalog = createCatalog(config.models),
): CatalogEntry[] {
  return ids.flatMap((id) => {
    const entry = findEntry(catalog, id);
    // A model that is not known fails its tasks, with the list of those that are.
    if (entry === null || entry.vendor === 'anthropic') requireAnthropicKey(config);
    else if (findKey(entry, config) === undefined) {
      throw new ConfigError(
        `the environment is wrong:\n  ${toKeyRule(entry)}, for model ${id} (put it into ${join(config.home, '.env')}, or set FLEET_OFFLINE=1 for simulated models)`,
      );
    }
    return entry === null ? [] : [entry];
  });
}

function findEntry(catalog: Catalog, id: string): CatalogEntry | null {
  try {
    return catalog.findPrices(id, new Date());
  } catch (error) {
    if (error instanceof TaskFailedError) return null;
    throw error;
  }
}
