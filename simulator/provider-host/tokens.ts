/** Characters of a simulated token. The real tokenizers need about as many for English text, and fewer for other languages. */
export const CHARACTERS_PER_TOKEN = 4;

/**
 * Tokens of a text as both simulated providers count and bill them.
 * @param text UTF-16, or its length in code units. The result, rounded up, never exceeds the text's UTF-8 bytes.
 */
export function estimateTokens(text: string | number): number {
  return Math.ceil((typeof text === 'string' ? text.length : text) / CHARACTERS_PER_TOKEN);
}
