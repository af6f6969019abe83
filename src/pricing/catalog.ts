import { TaskFailedError } from '../errors.ts';
import type { CostVendor } from '../redis/keys.ts';
import { findGenaiModel } from './genai-prices.ts';
import { PRICE_TABLE, type ModelPrices, type PriceRow, type Prices, type Vendor } from './price-table.ts';

/** What the fleet knows of one model at one instant. */
export interface CatalogEntry extends ModelPrices {
  /** The public total that its cost is booked to. */
  costVendor: CostVendor;
}

/**
 * Returns the entry of a model that can be called at `pricedAt`. Look it up once a call, and price the reply with the same entry.
 * @throws TaskFailedError (`model`) for a retired model, or one that is unknown or has no price; it lists the known models
 */
export function findModel(id: string, pricedAt: Date): CatalogEntry {
  const entry = findPrices(id, pricedAt);
  if (entry.until !== null && toDay(pricedAt) >= entry.until) {
    throw new TaskFailedError('model', `model ${id}: retired on ${entry.until}; ${known(pricedAt)}`);
  }
  return entry;
}

/**
 * Like `findModel`, but also for a retired model: for reports and comparisons.
 * @throws TaskFailedError (`model`) for a model that is unknown or has no price
 */
export function findPrices(id: string, pricedAt: Date): CatalogEntry {
  const row = findRow(withoutSnapshot(id), pricedAt);
  if (row !== undefined) return toEntry(id, row, pricedAt);
  const listed = findGenaiModel(id, pricedAt);
  if (listed === undefined) {
    throw new TaskFailedError('model', `model ${JSON.stringify(id)}: no price is known for it; ${known(pricedAt)}`);
  }
  return { ...listed, costVendor: toCostVendor(id, listed.vendor) };
}

/** Returns the models of the fleet's own table that can be called at `pricedAt`. */
export function listModels(pricedAt: Date): CatalogEntry[] {
  const ids = [...new Set(PRICE_TABLE.map((row) => row.id))];
  return ids
    .map((id) => findPrices(id, pricedAt))
    .filter((entry) => entry.until === null || toDay(pricedAt) < entry.until);
}

/** The total that a model's cost is booked to: `cost:haiku`, `cost:sonnet`, `cost:gemini`, or the private one of all others. */
function toCostVendor(id: string, vendor: Vendor): CostVendor {
  if (vendor === 'google') return 'gemini';
  if (vendor === 'anthropic' && id.includes('haiku')) return 'haiku';
  if (vendor === 'anthropic' && id.includes('sonnet')) return 'sonnet';
  return 'other';
}

function toEntry(id: string, row: PriceRow, pricedAt: Date): CatalogEntry {
  const peakNow = isPeak(row, pricedAt);
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

/** Returns the newest row in force at `pricedAt`; before the first row begins, the first. */
function findRow(id: string, pricedAt: Date): PriceRow | undefined {
  const rows = PRICE_TABLE.filter((row) => row.id === id);
  return rows.filter((row) => row.since === null || row.since <= toDay(pricedAt)).at(-1) ?? rows[0];
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
    input: prices.input * factor,
    cacheWrite: prices.cacheWrite * factor,
    cacheRead: prices.cacheRead * factor,
    output: prices.output * factor,
  };
}

function toDay(pricedAt: Date): string {
  return pricedAt.toISOString().slice(0, 10);
}

function known(pricedAt: Date): string {
  const ids = listModels(pricedAt).map((entry) => entry.id);
  return `known are ${ids.join(', ')} and the models @pydantic/genai-prices has text prices for`;
}
