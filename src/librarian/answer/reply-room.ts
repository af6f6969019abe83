import type { CatalogEntry } from '../../pricing/catalog.ts';

/**
 * Most tokens that a model thinks before it answers, by the beginning of its id; the first match applies. Gemini's thoughts
 * count into `maxOutputTokens`. Sources: https://ai.google.dev/gemini-api/docs/thinking (2.5 Pro thinks at most 32,768,
 * 2.5 Flash 24,576, both unless told otherwise; 2.5 Flash-Lite not at all) and the models' pages (3.1 and 3.5 Flash-Lite: level
 * `minimal`, the other models of 3 and later: `medium` or `high`).
 */
const THINKING_TOKENS: readonly (readonly [id: RegExp, tokens: number])[] = [
  [/^gemini-(1|2\.0)/, 0],
  [/^gemini-.*flash-lite/, 4_096],
  [/^gemini-2\.5-flash/, 24_576],
  [/^gemini-/, 32_768],
];
/** Of another vendor's model that thinks. */
const OTHER_THINKING_TOKENS = 16_000;

/**
 * Most tokens of a reply, thinking included; all of them are reserved.
 * @param answerTokens most tokens of the answer itself
 */
export function toReplyRoom(
  { id, maxOutputTokens, abilities }: Pick<CatalogEntry, 'id' | 'maxOutputTokens' | 'abilities'>,
  answerTokens: number,
): number {
  const thinking =
    THINKING_TOKENS.find(([pattern]) => pattern.test(id))?.[1] ?? (abilities.thinking ? OTHER_THINKING_TOKENS : 0);
  return Math.min(maxOutputTokens, answerTokens + thinking);
}
