import { FleetError } from '../errors.ts';
import type { Catalog } from '../pricing/catalog.ts';

/** Vendors whose name in the conventions is another one: `gen_ai.provider.name`. */
const NAMES: Record<string, string> = { google: 'gcp.gemini', mistral: 'mistral_ai', xai: 'x_ai' };

/** The provider of a model, as the conventions name it; `_OTHER` where the catalog does not know the model. */
export function toProvider(catalog: Catalog, model: string, at: Date): string {
  try {
    const { vendor } = catalog.findPrices(model, at);
    return NAMES[vendor] ?? vendor;
  } catch (error) {
    if (error instanceof FleetError) return '_OTHER';
    throw error;
  }
}
