/** Hundredths of a token that an ASCII character costs, by its code. */
const WEIGHTS = Uint8Array.from({ length: 128 }, (_, code) => (isWordLike(code) ? 23 : 60));
const HUNDREDTHS = 100;
/** Of a byte above ASCII: a Chinese or Japanese character has three bytes and about ¾ of a token. */
const BYTE_WEIGHT = 25;

/**
 * Tokens of a text. English prose has about four characters a token: https://ai.google.dev/gemini-api/docs/tokens. In code and
 * JSON, digits and punctuation are tokens of their own, so that a token has about three characters, as in public measurements
 * such as https://github.com/Kapeli/dash-mcp-server/issues/33. Other scripts have about a quarter of a token a byte. The
 * count never exceeds the text's UTF-8 bytes.
 */
export function countGeminiTokens(text: string): number {
  return Math.ceil(weigh(text, Infinity).weight / HUNDREDTHS);
}

/** The beginning of a text that has at most so many tokens. */
export function cutToGeminiTokens(text: string, tokens: number): string {
  return text.slice(0, weigh(text, tokens * HUNDREDTHS).end);
}

/** @returns where the text's weight passes `most`, and the weight up to there */
function weigh(text: string, most: number): { end: number; weight: number } {
  let weight = 0;
  let end = 0;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    const units = code >= 0xd800 && code <= 0xdbff ? 2 : 1; // a pair is one character of four bytes
    const own = code < 128 ? (WEIGHTS[code] ?? 0) : BYTE_WEIGHT * (units === 2 ? 4 : code < 0x800 ? 2 : 3);
    if (weight + own > most) break;
    weight += own;
    end += units;
  }
  return { end: Math.min(end, text.length), weight };
}

function isWordLike(code: number): boolean {
  return /[A-Za-z ]/.test(String.fromCharCode(code));
}
