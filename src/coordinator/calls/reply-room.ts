import type { CatalogEntry } from '../../pricing/catalog.ts';

/** Tokens of a structured call's thinking, besides its text: thinking counts into `max_tokens`. */
const THINKING_TOKENS = 16_000;

/**
 * Most tokens of the reply to a structured call, thinking included; all of them are reserved.
 * @param replyTokens most tokens of the text; undefined: whatever the model can write
 */
export function toReplyRoom(
  { maxOutputTokens }: Pick<CatalogEntry, 'maxOutputTokens'>,
  replyTokens: number | undefined,
): number {
  return replyTokens === undefined ? maxOutputTokens : Math.min(maxOutputTokens, replyTokens + THINKING_TOKENS);
}
