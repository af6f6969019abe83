import { TaskFailedError } from '../errors.ts';
import type { Catalog } from '../pricing/catalog.ts';
import type { PacedRow } from './types.ts';

/**
 * Returns what the pacer needs of a model's row; nothing for a model without a price, which is refused before its call.
 * Of the providers only Anthropic leaves cached tokens out of its limit.
 * https://platform.claude.com/docs/en/api/rate-limits#cache-aware-itpm, https://platform.openai.com/docs/guides/prompt-caching
 */
export function pacedRowsOf(catalog: Pick<Catalog, 'findPrices'>): (model: string) => PacedRow {
  return (model) => {
    try {
      const { limits, api } = catalog.findPrices(model, new Date());
      return { limits, countsCacheReads: api !== 'anthropic' };
    } catch (error) {
      if (error instanceof TaskFailedError) return {};
      throw error;
    }
  };
}
