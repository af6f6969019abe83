import type { ModelPrice, ModelRow } from '../config/model-rows/types.ts';
import type { PriceRow } from './rows/types.ts';

const FREE: ModelPrice = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, step: null };

/** A row of `models.json` as the table has it. */
export function toPriceRow(row: ModelRow): PriceRow {
  const { price, ...rest } = row;
  const { step, ...prices } = price === 'free-local' ? FREE : price;
  return { ...rest, until: null, prices, step, peak: null, isLocal: price === 'free-local' };
}
