import { isOffline, type Config } from '../../config/environment.ts';
import { TaskFailedError, toMessage } from '../../errors.ts';
import { catalogOf, type Catalog, type CatalogEntry } from '../../pricing/catalog.ts';
import { findKey, toKeyRule } from './keys.ts';

/** What this machine lacks to call a model, in one sentence; null: nothing. */
export function findKeyProblem(entry: CatalogEntry, config: Config): string | null {
  if (isOffline(config) || findKey(entry, config) !== undefined) return null;
  return toKeyRule(entry);
}

/** A start prints these: a route with an unknown model refuses its tasks, one by one, later. */
export function describeNameProblems(config: Config): string[] {
  const problems = findNameProblems(config, catalogOf(config), new Date());
  return problems.map(({ place, problem }) => `${place}: ${problem}`);
}

/** What is wrong with the models that the configuration names: one line each, with the place that names the model. */
export function findNameProblems(config: Config, catalog: Catalog, at: Date): { place: string; problem: string }[] {
  const {
    routes,
    FLEET_HAIKU_MODEL,
    FLEET_SONNET_MODEL,
    FLEET_COORDINATOR_MODEL,
    FLEET_GEMINI_MODEL,
    FLEET_FALLBACK_MODEL,
  } = config;
  const named: [place: string, id: string, needs: 'tools' | 'schema' | null][] = [
    ['FLEET_HAIKU_MODEL', FLEET_HAIKU_MODEL, 'tools'],
    ['FLEET_SONNET_MODEL', FLEET_SONNET_MODEL, 'tools'],
    ['FLEET_COORDINATOR_MODEL', FLEET_COORDINATOR_MODEL, 'schema'],
    ['FLEET_GEMINI_MODEL', FLEET_GEMINI_MODEL, null],
    ['FLEET_FALLBACK_MODEL', FLEET_FALLBACK_MODEL, null],
    ...routes.flatMap(({ use, kind }, i) =>
      use.map((id): [string, string, 'tools' | null] => {
        return [`routes[${i}].use`, id, kind?.join() === 'archive' ? null : 'tools'];
      }),
    ),
  ];
  return named.flatMap(([place, id, needs]) => {
    try {
      const { abilities } = catalog.find(id, at);
      if (needs === null || abilities[needs]) return [];
      return [{ place, problem: `model ${id} has no ${needs}, as its row says, and this needs it` }];
    } catch (error) {
      if (error instanceof TaskFailedError) return [{ place, problem: toMessage(error) }];
      throw error;
    }
  });
}
