import type { CatalogEntry } from './catalog.ts';

/** A version, a day, or a word for the newest one. */
const VERSION = /^(?:v?\d+(?:\.\d+)*|latest)$/;

/** The class of a model: its name without versions. `claude-opus-4-8` and `claude-opus-5-5` are one class, `llama-70b` and `llama-8b` two. */
export function toModelClass(id: string): string {
  const words = id.toLowerCase().split(/[-@]/);
  return words.filter((word) => !VERSION.test(word)).join('-') || id;
}

/** Whether the session's totals count the tasks of the model's class by its vendor already. */
export function isVendorAClass(costVendor: string): boolean {
  return costVendor === 'haiku' || costVendor === 'sonnet';
}

/** Names a model for people: `Sonnet`, `Haiku`, else its id. */
export function toModelName({ id, costVendor }: Pick<CatalogEntry, 'id' | 'costVendor'>): string {
  return isVendorAClass(costVendor) ? costVendor.charAt(0).toUpperCase() + costVendor.slice(1) : id;
}
