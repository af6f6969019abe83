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
 * The entry of a model that can be called at `at`. Look it up once a call, and price the reply with the same entry.
 * @throws TaskFailedError (`model`) for a retired model, or one that is unknown or has no price; it lists the known models
 */
export function findModel(id: string, at: Date): CatalogEntry {
  const entry = findPrices(id, at);
  if (entry.until !== null && toDay(at) >= entry.until) {
    throw new TaskFailedError('model', `model ${id}: retired on ${entry.until}; ${known(at)}`);
  }
  return entry;
}

/**
 * Like `findModel`, but also for a retired model: for reports and comparisons.
 * @throws TaskFailedError (`model`) for a model that is unknown or has no price
 */
export function findPrices(id: string, at: Date): CatalogEntry {
  const row = findRow(withoutSnapshot(id), at);
  if (row !== undefined) return toEntry(id, row, at);
  const listed = findGenaiModel(id, at);
  if (listed === undefined) {
    throw new TaskFailedError('model', `model ${JSON.stringify(id)}: no price is known for it; ${known(at)}`);
  }
  return { ...listed, costVendor: toCostVendor(id, listed.vendor) };
}

/** The models of the fleet's own table that can be called at `at`. */
export function listModels(at: Date): CatalogEntry[] {
  const ids = [...new Set(PRICE_TABLE.map((row) => row.id))];
  return ids.map((id) => findPrices(id, at)).filter((entry) => entry.until === null || toDay(at) < entry.until);
}

/** The total that a model's cost is booked to: `cost:haiku`, `cost:sonnet`, `cost:gemini`, or the private one of all others. */
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

/** The newest row in force at `at`; before the first row begins, the first. */
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
