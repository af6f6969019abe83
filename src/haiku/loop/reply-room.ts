import type { CatalogEntry } from '../../pricing/catalog.ts';

/** Most tokens of a worker's reply, thinking included; all of them are reserved. A file of 1,000 lines fits. */
export const REPLY_TOKENS = 32_000;
/** A reply that was cut is asked for once more, with this room. */
const MORE_REPLY_TOKENS = 64_000;

/** The room of a reply, and the larger one of the second try; the same where the model writes no more. */
export function toReplyRooms({ maxOutputTokens }: CatalogEntry): { first: number; more: number } {
  return { first: Math.min(maxOutputTokens, REPLY_TOKENS), more: Math.min(maxOutputTokens, MORE_REPLY_TOKENS) };
}

/** Share of the price step that prompts stay under: the estimate may be too low, and the step would cost many times the price. */
const SHARE_OF_STEP = 0.8;

/** Tokens that a prompt may have: well below the price step, and with room for the longest reply. */
export function toPromptLimit(entry: CatalogEntry): number {
  const window = entry.contextTokens - toReplyRooms(entry).more;
  return entry.priceStepTokens === null ? window : Math.min(entry.priceStepTokens * SHARE_OF_STEP, window);
}
