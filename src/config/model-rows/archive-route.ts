import type { ModelRow, RouteRow } from './types.ts';

/** What decides of the configuration. */
interface Routed {
  routes: readonly RouteRow[];
  models: readonly ModelRow[];
  FLEET_GEMINI_MODEL: string;
  FLEET_FALLBACK_MODEL: string;
}

/**
 * The models that answer the archive's questions, in order, where a route of the kind `archive` names them, or `FLEET_GEMINI_MODEL` is
 * no model of the Gemini shards. Null: the shards answer, then the fallback where its key is set.
 */
export function readArchiveRoute(config: Routed): string[] | null {
  const { routes, FLEET_GEMINI_MODEL, FLEET_FALLBACK_MODEL } = config;
  const named = routes.find(({ kind }) => kind?.includes('archive'))?.use;
  if (named !== undefined) return named;
  return isShardsModel(config) ? null : [...new Set([FLEET_GEMINI_MODEL, FLEET_FALLBACK_MODEL])];
}

/** Whether librarians can run here: there is a Gemini key, or other models answer. */
export function hasArchive(config: Routed & { shards: readonly unknown[] }): boolean {
  return config.shards.length > 0 || readArchiveRoute(config) !== null;
}

/** Whether the Gemini shards answer as `FLEET_GEMINI_MODEL`: by its row, else by its name, as not every command loads the table. */
export function isShardsModel({
  models,
  FLEET_GEMINI_MODEL: id,
}: Pick<Routed, 'models' | 'FLEET_GEMINI_MODEL'>): boolean {
  const row = models.find((one) => one.id === id);
  return row === undefined ? /^gem(ini|ma)-/.test(id) : row.vendor === 'google' && row.keyEnv === null;
}
