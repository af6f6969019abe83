import { TaskFailedError } from '../errors.ts';
import type { CostVendor } from '../redis/keys.ts';
import { findForeignModel } from './genai-prices.ts';
import { PRICE_TABLE, type PriceRow, type Prices, type Vendor } from './price-table.ts';

export type { Prices } from './price-table.ts';

/** What the fleet knows of one model at one instant. */
export interface CatalogEntry {
  /** The id as it was asked for. */
  id: string;
  vendor: Vendor;
  /** Which of the public totals it is booked to. */
  costVendor: CostVendor;
  /** The whole context window, prompt and output. */
  contextTokens: number;
  maxOutputTokens: number;
  /** First UTC day of this entry, `YYYY-MM-DD`; null: since ever. */
  since: string | null;
  /** First UTC day on which the provider no longer serves the model; null while none is announced. */
  until: string | null;
  /** Prompts above this many tokens cost `pricesAboveStep` for the whole request; null: one price for all. */
  priceStepTokens: number | null;
  /** In force at the instant asked for, peak hours included. */
  prices: Prices;
  pricesAboveStep: Prices | null;
  /** How many times `prices` the same request can cost at another hour of the day; 1 for most. */
  peakFactor: number;
}

/**
 * The entry of a model that can be called at `at`. Ask once a call and price its reply with the same entry.
 * @throws TaskFailedError (`model`) for an unknown, priceless or retired model, naming it and the known ones
 */
export function findModel(id: string, at: Date): CatalogEntry {
  const entry = findPrices(id, at);
  if (entry.until !== null && toDay(at) >= entry.until) {
    throw new TaskFailedError('model', `model ${id}: retired on ${entry.until}; ${known(at)}`);
  }
  return entry;
}

/**
 * Like `findModel`, for looking back and for comparisons: a retired model still has its prices.
 * @throws TaskFailedError (`model`) for an unknown or priceless model
 */
export function findPrices(id: string, at: Date): CatalogEntry {
  const row = findRow(withoutSnapshot(id), at);
  if (row !== undefined) return toEntry(id, row, at);
  const foreign = findForeignModel(id, at);
  if (foreign === undefined) {
    throw new TaskFailedError('model', `model ${JSON.stringify(id)}: no price is known for it; ${known(at)}`);
  }
  return { ...foreign, costVendor: toCostVendor(id, foreign.vendor) };
}

/** The models of the fleet's own table that can be called at `at`. */
export function listModels(at: Date): CatalogEntry[] {
  const ids = [...new Set(PRICE_TABLE.map((row) => row.id))];
  return ids.map((id) => findPrices(id, at)).filter((entry) => entry.until === null || toDay(at) < entry.until);
}

/** The public total a model is booked to: `cost:haiku`, `cost:sonnet`, `cost:gemini`, or the private rest. */
function toCostVendor(id: string, vendor: Vendor): CostVendor {
  if (vendor === 'google') return 'gemini';
  if (vendor === 'anthropic' && id.includes('haiku')) return 'haiku';
  if (vendor === 'anthropic' && id.includes('sonnet')) return 'sonnet';
  return 'other';
}

function toEntry(id: string, row: PriceRow, at: Date): CatalogEntry {
  const peakNow = isPeak(row, at);
  const prices = peakNow ? times(row.prices, row.peak?.factor ?? 1) : row.prices;
  return {
    id,
    vendor: row.vendor,
    costVendor: toCostVendor(id, row.vendor),
    contextTokens: row.contextTokens,
    maxOutputTokens: row.maxOutputTokens,
    since: row.since,
    until: row.until,
    priceStepTokens: row.step?.tokens ?? null,
    prices,
    pricesAboveStep: row.step === null ? null : times(prices, row.step.factor),
    peakFactor: peakNow ? 1 : (row.peak?.factor ?? 1),
  };
}

/** The newest row that has begun at `at`; before the first, the first. */
function findRow(id: string, at: Date): PriceRow | undefined {
  const rows = PRICE_TABLE.filter((row) => row.id === id);
  return rows.filter((row) => row.since === null || row.since <= toDay(at)).at(-1) ?? rows[0];
}

/** A dated snapshot (`claude-haiku-4-5-20251001`) costs what its model costs. */
function withoutSnapshot(id: string): string {
  return id.replace(/-\d{8}$/, '');
}

function isPeak(row: PriceRow, at: Date): boolean {
  const weekday = at.getUTCDay();
  if (row.peak === null || weekday === 0 || weekday === 6) return false;
  const hour = at.getUTCHours();
  return row.peak.hours.some(([from, to]) => hour >= from && hour < to);
}

function times(prices: Prices, factor: number): Prices {
  return {
    input: prices.input * factor,
    cacheWrite: prices.cacheWrite * factor,
    cacheRead: prices.cacheRead * factor,
    output: prices.output * factor,
  };
}

function toDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function known(at: Date): string {
  const ids = listModels(at).map((entry) => entry.id);
  return `known are ${ids.join(', ')} and the models @pydantic/genai-prices has text prices for`;
}
