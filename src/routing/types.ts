import type { ModelAbilities, RouteRow } from '../config/model-rows/types.ts';
import type { Catalog, CatalogEntry } from '../pricing/catalog.ts';

/** What of a task decides which model does it. */
export interface RouteAsk {
  /** Default `other`. */
  kind: string;
  /** The model that the task names: no other one may do it. Null: it names none. */
  model: string | null;
  /** Of its first prompt, about. */
  promptTokens: number;
  needs: readonly (keyof ModelAbilities)[];
  /** Whether the task asks for the cheap route. */
  isCheap: boolean;
  /** Its own budget, nano-dollars; null: none. */
  budgetNanoUsd: number | null;
  /** Which vendors may see it; null: all. */
  vendors: readonly string[] | null;
  /** Its workspace, for messages; null: none. */
  workspace: string | null;
}

/** The models that an operator has named, and for which tasks. */
export interface RouteTable {
  routes: readonly RouteRow[];
  /** Ids of the fleet's own rows (`models.json`). */
  own: readonly string[];
  catalog: Catalog;
  /** `FLEET_HAIKU_MODEL`: for tasks that no route is for. */
  defaultModel: string;
  /** When the call would be made. */
  at: Date;
}

/** The models that may do a task, in this order: each is asked only where those before it cool down, are refused or spent. */
export interface RouteChoice {
  kind: 'choice';
  entry: CatalogEntry;
  /** Those that the same route lists after it. Empty: no other model may do the task. */
  next: CatalogEntry[];
  /** Number of the route in `models.json`, from 1; null: no route chose it. */
  route: number | null;
  /** One sentence. */
  why: string;
  /** What was passed over before, and why: a line each. */
  passedOver: string[];
  /** Of that: models that cannot be called, because they are unknown, retired or without a price. They are for a person to correct. */
  unknown: string[];
}

/** No model may do the task. */
export interface RouteRefusal {
  kind: 'refusal';
  /** Says the rule, and what to do. */
  message: string;
  passedOver: string[];
}
