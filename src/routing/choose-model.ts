import type { RouteRow } from '../config/model-rows/types.ts';
import { TaskFailedError, toMessage } from '../errors.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';
import { costNanoUsd, worstCaseNanoUsd } from '../pricing/cost.ts';
import { NO_USAGE } from '../pricing/tokens.ts';
import { toReplyRooms, toWindow } from './reply-room.ts';
import { refuse, refuseNamed, refuseUnknown } from './refusal.ts';
import type { RouteAsk, RouteChoice, RouteRefusal, RouteTable } from './types.ts';
import { findMisfit, findObstacle } from './obstacles.ts';
import { formatCount } from '../text/plural.ts';

/** Tokens of a reply that models are compared by, where any of several may do a task. */
const COMPARED_REPLY_TOKENS = 2_000;

/**
 * Chooses the models that may do a task: the one it names; else the first route that is for such tasks and lists a model that
 * may do it; else the default model; else, for a prompt above their windows, the cheapest model that the operator has named and
 * that holds it. A model of a route that is unknown, retired or without a price is passed over; a route that has no other is refused.
 * @throws TaskFailedError `model` for such a model that the task names
 */
export function chooseModel(ask: RouteAsk, table: RouteTable): RouteChoice | RouteRefusal {
  if (ask.model !== null) return chooseNamed(ask, table, ask.model);
  const passedOver: string[] = [];
  const tooSmall: CatalogEntry[] = [];
  const unknown: string[] = [];
  for (const [i, route] of table.routes.entries()) {
    const place = describeRoute(i, route);
    const misfit = findMisfit(ask, route, isCheap(ask, table));
    if (misfit !== null) {
      passedOver.push(`${place}: ${misfit}`);
      continue;
    }
    const list = { ids: route.use, place, passedOver, tooSmall, unknown: [] as string[] };
    const [entry, ...next] = takeFitting(ask, table, list);
    if (list.unknown.length === route.use.length)
      return refuseUnknown(`routes[${i}].use in models.json`, list.unknown, passedOver);
    unknown.push(...list.unknown.map((problem) => `${place}: ${problem}`));
    if (entry !== undefined) return { kind: 'choice', entry, next, route: i + 1, why: place, passedOver, unknown };
  }
  const list = { ids: [table.defaultModel], place: 'default', passedOver, tooSmall, unknown: [] as string[] };
  const [entry] = takeFitting(ask, table, list);
  if (list.unknown.length > 0) return refuseUnknown('FLEET_HAIKU_MODEL', list.unknown, passedOver);
  if (entry !== undefined) {
    const why =
      table.routes.length === 0 ? 'the default model: there are no routes' : 'the default model: no route is for it';
    return { kind: 'choice', entry, next: [], route: null, why, passedOver, unknown };
  }
  const larger = findLarger(ask, table);
  if (larger === null || tooSmall.length === 0) return refuse(ask, table, { passedOver, tooSmall });
  const why = `the cheapest model of models.json that holds ${formatCount(ask.promptTokens)} tokens`;
  return { kind: 'choice', entry: larger, next: [], route: null, why, passedOver, unknown };
}

function chooseNamed(ask: RouteAsk, table: RouteTable, id: string): RouteChoice | RouteRefusal {
  const entry = table.catalog.find(id, table.at);
  const obstacle = findObstacle(ask, entry);
  if (obstacle !== null) return refuseNamed(ask, table, entry, obstacle);
  return { kind: 'choice', entry, next: [], route: null, why: 'the task names it', passedOver: [], unknown: [] };
}

/** The models of a list that may do the task. Notes why the others may not. */
function takeFitting(
  ask: RouteAsk,
  table: RouteTable,
  list: { ids: readonly string[]; place: string; passedOver: string[]; tooSmall: CatalogEntry[]; unknown: string[] },
): CatalogEntry[] {
  const fitting: CatalogEntry[] = [];
  for (const id of list.ids) {
    const entry = lookUp(id, table);
    if (typeof entry === 'string') {
      list.passedOver.push(`${list.place}: ${entry}`);
      list.unknown.push(entry);
      continue;
    }
    const obstacle = findObstacle(ask, entry);
    if (obstacle === null) {
      fitting.push(entry);
      continue;
    }
    list.passedOver.push(`${list.place}: ${obstacle.text}`);
    if (obstacle.kind === 'window') list.tooSmall.push(entry);
  }
  return fitting;
}

/** @returns in place of a model that cannot be called what is wrong with it: it is unknown, retired or without a price */
function lookUp(id: string, { catalog, at }: RouteTable): CatalogEntry | string {
  try {
    return catalog.find(id, at);
  } catch (error) {
    if (error instanceof TaskFailedError) return toMessage(error);
    throw error;
  }
}

/** The cheapest model for the task among all that the operator has named. */
function findLarger(ask: RouteAsk, table: RouteTable): CatalogEntry | null {
  const ids = [...new Set([...table.routes.flatMap(({ use }) => use), ...table.own])];
  const known = ids.map((id) => lookUp(id, table)).filter((entry) => typeof entry !== 'string');
  const fitting = known.filter((entry) => findObstacle(ask, entry) === null);
  const usage = { ...NO_USAGE, input: ask.promptTokens, output: COMPARED_REPLY_TOKENS };
  const [cheapest = null] = fitting.toSorted((a, b) => costNanoUsd(a, usage) - costNanoUsd(b, usage));
  return cheapest;
}

/** A task is cheap that says so, or whose own budget does not hold one call of the default model at its worst case. */
function isCheap({ isCheap: asked, budgetNanoUsd, promptTokens }: RouteAsk, table: RouteTable): boolean {
  if (asked || budgetNanoUsd === null) return asked;
  const entry = lookUp(table.defaultModel, table);
  if (typeof entry === 'string') return false;
  const bound = { inputTokensBound: Math.min(promptTokens, toWindow(entry)), maxTokens: toReplyRooms(entry).first };
  return budgetNanoUsd < worstCaseNanoUsd(entry, bound);
}

/** `route 2 (kind docs or analysis, needs schema)`. */
function describeRoute(index: number, { kind, minPromptTokens, needs, budget }: RouteRow): string {
  const rules = [
    ...(kind === undefined ? [] : [`kind ${kind.join(' or ')}`]),
    ...(minPromptTokens === undefined ? [] : [`prompts of ${formatCount(minPromptTokens)} tokens and more`]),
    ...(needs === undefined || needs.length === 0 ? [] : [`needs ${needs.join(', ')}`]),
    ...(budget === undefined ? [] : [`budget ${budget}`]),
  ];
  return `route ${index + 1} (${rules.join('; ') || 'all tasks'})`;
}
