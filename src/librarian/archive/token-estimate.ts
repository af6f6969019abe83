/** Estimates the tokens of a prompt from its bytes, before the provider counts them. */
export interface TokenEstimate {
  /** @param bytes UTF-8 bytes. @returns tokens, rounded up */
  toTokens(bytes: number): number;
  /** @returns UTF-8 bytes that have about so many tokens */
  toBytes(tokens: number): number;
  /** Corrects the estimate by what the provider counted. */
  learn(bytes: number, tokens: number): void;
}

/** Tokens a byte. English and code have about four bytes a token; for other texts the provider's counts correct it. */
const FIRST_GUESS = 1 / 4;
/** Bounds of a count that is believed, tokens a byte. */
const LOWEST = 1 / 12;
const HIGHEST = 1;
/** Shorter prompts do not represent long ones. */
const MIN_BYTES = 2_000;
/** Share of a new count in the corrected estimate. */
const WEIGHT = 0.5;

export function createTokenEstimate(): TokenEstimate {
  let tokensPerByte = FIRST_GUESS;
  return {
    toTokens: (bytes) => Math.ceil(bytes * tokensPerByte),
    toBytes: (tokens) => Math.max(0, Math.floor(tokens / tokensPerByte)),
    learn(bytes, tokens) {
      if (bytes < MIN_BYTES || tokens <= 0) return;
      const counted = Math.min(HIGHEST, Math.max(LOWEST, tokens / bytes));
      tokensPerByte = tokensPerByte * (1 - WEIGHT) + counted * WEIGHT;
    },
  };
}
