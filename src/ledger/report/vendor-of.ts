import { TaskFailedError } from '../../errors.ts';
import { NO_MODEL } from '../../findings/finding.ts';
import type { Catalog } from '../../pricing/catalog.ts';

/** Vendor of a model that has left the catalog: its row of `models.json` was removed, or a later version wrote the entry. */
const UNKNOWN = 'unknown';

/** Returns a function that tells the vendor of an entry's model; null: no model was called. */
export function createVendorOf(catalog: Catalog): (entry: { day: string; model: string | null }) => string | null {
  const known = new Map<string, string>();
  return ({ day, model }) => {
    if (model === null || model === NO_MODEL.id) return null;
    const vendor = known.get(model) ?? findVendor(catalog, model, day);
    known.set(model, vendor);
    return vendor;
  };
}

function findVendor(catalog: Catalog, model: string, day: string): string {
  try {
    return catalog.findPrices(model, new Date(`${day}T12:00:00Z`)).vendor;
  } catch (error) {
    if (error instanceof TaskFailedError) return UNKNOWN;
    throw error;
  }
}
