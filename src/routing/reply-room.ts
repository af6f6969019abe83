import type { CatalogEntry } from '../pricing/catalog.ts';

/** Most tokens of a worker's reply, thinking included, until much is known of such replies. A file of 1,000 lines fits. */
export const REPLY_TOKENS = 32_000;
/** A reply that was cut is asked for once more, with this room. */
const MORE_REPLY_TOKENS = 64_000;
/** Share of the window that a reply may have at most: a small local model may state the same number for both. */
const SHARE_OF_WINDOW = 0.5;

/** The full room of a reply, and the larger one of the second try; the same where the model writes no more. */
export function toReplyRooms(entry: Pick<CatalogEntry, 'contextTokens' | 'maxOutputTokens'>): {
  first: number;
  more: number;
} {
  const most = Math.min(entry.maxOutputTokens, Math.floor(entry.contextTokens * SHARE_OF_WINDOW));
  return { first: Math.min(most, REPLY_TOKENS), more: Math.min(most, MORE_REPLY_TOKENS) };
}

/** Tokens of the longest prompt that leaves room for the longest reply. */
export function toWindow(entry: Pick<CatalogEntry, 'contextTokens' | 'maxOutputTokens'>): number {
  return entry.contextTokens - toReplyRooms(entry).more;
}

/** Share of the price step that prompts stay under: the estimate may be too low, and the step would cost many times the price. */
const SHARE_OF_STEP = 0.8;
/** A task that begins above this share of what would keep it under the step cannot be kept there: it pays for the step. */
const LARGEST_START = 0.9;

/**
 * Tokens that a prompt may have: well below the price step, and with room for the longest reply. A task that begins above the step
 * may use the whole window: it is never cut.
 * @param startTokens of the task's first prompt
 */
export function toPromptLimit(
  entry: Pick<CatalogEntry, 'contextTokens' | 'maxOutputTokens' | 'priceStepTokens'>,
  startTokens = 0,
): number {
  const window = toWindow(entry);
  if (entry.priceStepTokens === null) return window;
  const belowStep = entry.priceStepTokens * SHARE_OF_STEP;
  return startTokens > belowStep * LARGEST_START ? window : Math.min(belowStep, window);
}
