import type { ModelAbilities, ModelApi, ModelRateLimits, ModelRow } from '../config/model-rows/types.ts';
import { TaskFailedError } from '../errors.ts';
import type { CostVendor } from '../redis/keys.ts';
import { findGenaiModel } from './genai-prices.ts';
import { toPriceRow } from './own-row.ts';
import { PRICE_TABLE } from './price-table.ts';
import type { ModelPrices, PriceRow, Prices } from './rows/types.ts';

/** What the fleet knows of one model at one instant. */
export interface CatalogEntry extends ModelPrices {
  /** The public total that its cost is booked to. */
  costVendor: CostVendor;
  api: ModelApi;
  /** The provider's name for it. */
  model: string;
  /** Null: the vendor's own address. */
  baseUrl: string | null;
  /** The variable of its key; null: the vendor's own. */
  keyEnv: string | null;
  limits: ModelRateLimits;
  abilities: ModelAbilities;
  /** How many times the usual prices `prices` are, because it is at the hours of its peak now; 1: they are the usual ones. */
  nowFactor: number;
  /** It runs on a machine of the operator and costs nothing a token (`free-local`). */
  isLocal: boolean;
}

/** Models that a refusal names. */
const NAMED_MODELS = 6;

const HOUR_MS = 3_600_000;
/** Entries that a catalog keeps. */
const MOST_KEPT = 200;

/** What the public list does not say of a model. */
const OF_LISTED = { baseUrl: null, keyEnv: null, limits: {}, nowFactor: 1, isLocal: false };

/** The models that a fleet knows: its own rows (`models.json`), and the built-in ones. */
export interface Catalog {
  /**
   * Returns the entry of a model that can be called at `pricedAt`. Look it up once a call, and price the reply with the same entry.
   * @throws TaskFailedError (`model`) for a retired model, or one that is unknown or has no price; it lists the known models
   */
  find(id: string, pricedAt: Date): CatalogEntry;
  /**
   * Like `find`, but also for a retired model: for reports and comparisons.
   * @throws TaskFailedError (`model`) for a model that is unknown or has no price
   */
  findPrices(id: string, pricedAt: Date): CatalogEntry;
  /** Returns the fleet's own models and those of the built-in table that can be called at `pricedAt`. */
  list(pricedAt: Date): CatalogEntry[];
}

/** @param own rows of `models.json`; one that is in force replaces a built-in row of its id */
export function createCatalog(own: readonly ModelRow[]): Catalog {
  const ownRows = own.map(toPriceRow);
  const ids = [...new Set([...ownRows, ...PRICE_TABLE].map(({ id }) => id))];
  const kept = new Map<string, { hour: number; entry: CatalogEntry }>();

  /** Days and peaks begin with an hour, so an entry holds for an hour. A task asks several times. */
  function findPrices(id: string, pricedAt: Date): CatalogEntry {
    const hour = Math.floor(pricedAt.getTime() / HOUR_MS);
    const last = kept.get(id);
    if (last?.hour === hour) return last.entry;
    const entry = readPrices(id, pricedAt);
    if (kept.size >= MOST_KEPT) kept.clear(); // a snapshot may have any date
    kept.set(id, { hour, entry });
    return entry;
  }

  function readPrices(id: string, pricedAt: Date): CatalogEntry {
    const row = findRow(id, pricedAt) ?? findRow(withoutSnapshot(id), pricedAt);
    if (row !== undefined) return toEntry(id, row, pricedAt);
    const listed = findGenaiModel(id, pricedAt);
    if (listed !== undefined)
      return { ...OF_LISTED, ...listed, model: id, costVendor: toCostVendor(id, listed.vendor) };
    throw new TaskFailedError('model', `model ${JSON.stringify(id)}: no price is known for it; ${known(id, pricedAt)}`);
  }

  /** Returns the newest row in force at `pricedAt`, an own one before a built-in one; before the first begins, the first. */
  function findRow(id: string, pricedAt: Date): PriceRow | undefined {
    const [mine, builtIn] = [ownRows, PRICE_TABLE].map((rows) => rows.filter((row) => row.id === id)) as [
      PriceRow[],
      PriceRow[],
    ];
    return newestAt(mine, pricedAt) ?? newestAt(builtIn, pricedAt) ?? builtIn[0] ?? mine[0];
  }

  const list = (pricedAt: Date): CatalogEntry[] =>
    ids.map((id) => findPrices(id, pricedAt)).filter((entry) => !isRetired(entry, pricedAt));

  /** Those that are named like the wanted one come first. */
  function known(wanted: string, pricedAt: Date): string {
    const family = wanted.split('-')[0] ?? '';
    const all = list(pricedAt).map(({ id }) => id);
    const alike = all.filter((id) => family !== '' && id.startsWith(family));
    const named = [...new Set([...alike, ...all])].slice(0, NAMED_MODELS);
    return `known are ${named.join(', ')} and others: fleet models`;
  }

  return {
    find(id, pricedAt) {
      const entry = findPrices(id, pricedAt);
      if (!isRetired(entry, pricedAt)) return entry;
      throw new TaskFailedError('model', `model ${id}: retired on ${entry.until}; ${known(id, pricedAt)}`);
    },
    findPrices,
    list,
  };
}

const catalogs = new WeakMap<readonly ModelRow[], Catalog>();

/** The catalog of a configuration; the same one for the same rows. */
export function catalogOf({ models }: { models: readonly ModelRow[] }): Catalog {
  const known = catalogs.get(models) ?? createCatalog(models);
  catalogs.set(models, known);
  return known;
}

function newestAt(rows: readonly PriceRow[], pricedAt: Date): PriceRow | undefined {
  return rows
    .filter((row) => row.since === null || row.since <= toDay(pricedAt))
    .toSorted((a, b) => (a.since ?? '').localeCompare(b.since ?? ''))
    .at(-1);
}

function isRetired({ until }: CatalogEntry, pricedAt: Date): boolean {
  return until !== null && toDay(pricedAt) >= until;
}

/**
 * The total that a model's cost is booked to: `haiku`, `sonnet`, `gemini`, or its vendor's.
 * @param model the provider's name for it
 */
function toCostVendor(model: string, vendor: string): CostVendor {
  if (vendor === 'google') return 'gemini';
  if (vendor === 'anthropic' && model.includes('haiku')) return 'haiku';
  if (vendor === 'anthropic' && model.includes('sonnet')) return 'sonnet';
  return TAKEN.has(vendor) ? `${vendor}-models` : vendor;
}

/** What the session's totals count besides vendors, and totals of one model alone. */
const TAKEN = new Set(['haiku', 'sonnet', 'gemini', 'other', 'coordinator', 'archive', 'rework', 'unmetered', 'class']);

function toEntry(id: string, row: PriceRow, pricedAt: Date): CatalogEntry {
  const peakNow = isPeak(row, pricedAt);
  const prices = peakNow ? times(row.prices, row.peak?.factor ?? 1) : row.prices;
  return {
    id,
    vendor: row.vendor,
    costVendor: toCostVendor(row.model ?? id, row.vendor),
    api: row.api,
    model: row.model === undefined || row.model === row.id ? id : row.model,
    baseUrl: row.baseUrl ?? null,
    keyEnv: row.keyEnv ?? null,
    limits: row.limits ?? {},
    abilities: row.abilities,
    nowFactor: peakNow ? (row.peak?.factor ?? 1) : 1,
    isLocal: row.isLocal ?? false,
    contextTokens: row.contextTokens,
    maxOutputTokens: row.maxOutputTokens,
    since: row.since,
    until: row.until,
    priceStepTokens: row.step?.tokens ?? null,
    prices,
    pricesAboveStep: toPricesAbove(row, prices),
    peakFactor: peakNow ? 1 : (row.peak?.factor ?? 1),
  };
}

function toPricesAbove({ step }: PriceRow, prices: Prices): Prices | null {
  if (step === null) return null;
  return 'prices' in step ? step.prices : times(prices, step.factor);
}

/** A dated snapshot (`claude-haiku-4-5-20251001`) costs what its model costs. */
export function withoutSnapshot(id: string): string {
  return id.replace(/-\d{8}$/, '');
}

function isPeak(row: PriceRow, pricedAt: Date): boolean {
  const weekday = pricedAt.getUTCDay();
  if (row.peak === null || weekday === 0 || weekday === 6) return false;
  const hour = pricedAt.getUTCHours();
  return row.peak.hours.some(([from, to]) => hour >= from && hour < to);
}

function times(prices: Prices, factor: number): Prices {
  return {
    input: Math.ceil(prices.input * factor),
    cacheWrite: Math.ceil(prices.cacheWrite * factor),
    cacheRead: Math.ceil(prices.cacheRead * factor),
    output: Math.ceil(prices.output * factor),
  };
}

function toDay(pricedAt: Date): string {
  return pricedAt.toISOString().slice(0, 10);
}
