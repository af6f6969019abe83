/** Characters of a simulated token where no model says otherwise. */
export const CHARACTERS_PER_TOKEN = 4;

/**
 * Tokens of a text as both simulated providers count and bill them.
 * @param text UTF-16, or its length in code units. The result, rounded up, never exceeds the text's UTF-8 bytes.
 * @param charactersPerToken at least 1
 */
export function estimateTokens(text: string | number, charactersPerToken = CHARACTERS_PER_TOKEN): number {
  return Math.ceil((typeof text === 'string' ? text.length : text) / charactersPerToken);
}
