import type { CatalogEntry } from '../../pricing/catalog.ts';

/**
 * Whether a model is called with the keys of the shards (`GEMINI_API_KEY…`), whose quota it shares with the librarians: it is
 * Google's, and its row names neither a key nor an address of its own.
 */
export function isOnShards({ vendor, api, keyEnv, baseUrl }: CatalogEntry): boolean {
  return vendor === 'google' && api === 'gemini' && keyEnv === null && baseUrl === null;
}
