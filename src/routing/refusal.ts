import type { CatalogEntry } from '../pricing/catalog.ts';
import { findObstacle, type Obstacle } from './obstacles.ts';
import type { RouteAsk, RouteRefusal, RouteTable } from './types.ts';
import { formatCount } from '../text/plural.ts';

/** Models that a refusal suggests at most. */
const MOST_SUGGESTED = 3;

/** For a task that no route, and not the default model, may do. */
export function refuse(
  ask: RouteAsk,
  table: RouteTable,
  { passedOver, tooSmall }: { passedOver: string[]; tooSmall: readonly CatalogEntry[] },
): RouteRefusal {
  const why =
    tooSmall.length > 0
      ? `no model that models.json or FLEET_HAIKU_MODEL names holds a prompt of about ${formatCount(ask.promptTokens)} tokens`
      : `no model that models.json or FLEET_HAIKU_MODEL names may do it (${passedOver.at(-1) ?? 'none is named'})`;
  return { kind: 'refusal', message: `${why}; ${suggest(ask, table)}`, passedOver };
}

/** For a task that names a model which may not do it. */
export function refuseNamed(
  ask: RouteAsk,
  table: RouteTable,
  entry: CatalogEntry,
  { kind, text }: Obstacle,
): RouteRefusal {
  const rest = kind === 'tools' ? 'and workers need them' : null;
  const message = [text, rest, suggest({ ...ask, model: null }, table, entry.id)].filter((part) => part !== null);
  return { kind: 'refusal', message: message.join('; '), passedOver: [text] };
}

/**
 * For a task whose route, or default, names no model that can be called.
 * @param place that names them
 * @param problems of its models
 */
export function refuseUnknown(place: string, problems: readonly string[], passedOver: string[]): RouteRefusal {
  return { kind: 'refusal', message: `${place}: ${problems.join('; ')}; correct it, then fleet reload`, passedOver };
}

/** Which rows would do. */
function suggest(ask: RouteAsk, { catalog, at }: RouteTable, besides?: string): string {
  const fitting = catalog.list(at).filter((entry) => entry.id !== besides && findObstacle(ask, entry) === null);
  if (fitting.length === 0) {
    const allowed = ask.vendors === null ? '' : ` of ${ask.vendors.join(' or ')}`;
    return `no known model${allowed} would do: add a row to models.json, or shorten the task`;
  }
  const ids = fitting.slice(0, MOST_SUGGESTED).map(({ id }) => id);
  return `${ids.join(', ')} would do: name one as the task's model, or in a route of models.json`;
}
