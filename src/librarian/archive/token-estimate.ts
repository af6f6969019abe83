/** Tokens of a prompt from its bytes, before the provider has counted them. */
export interface TokenEstimate {
  /** @returns tokens, rounded up */
  toTokens(bytes: number): number;
  /** UTF-8 bytes that have about so many tokens. */
  toBytes(tokens: number): number;
  /** Corrects itself by what the provider counted for so many bytes. */
  learn(bytes: number, tokens: number): void;
}

/** English and code have some four bytes a token; what others have, the provider's counts teach. */
const FIRST_GUESS = 1 / 4;
/** Beyond these a count says more about the provider than about the text. */
const LOWEST = 1 / 12;
const HIGHEST = 1;
/** Prompts shorter than this say little about long ones. */
const TELLING_BYTES = 2_000;
/** Share of a new count; the rest is what was known. */
const WEIGHT = 0.5;

export function createTokenEstimate(): TokenEstimate {
  let tokensPerByte = FIRST_GUESS;
  return {
    toTokens: (bytes) => Math.ceil(bytes * tokensPerByte),
    toBytes: (tokens) => Math.max(0, Math.floor(tokens / tokensPerByte)),
    learn(bytes, tokens) {
      if (bytes < TELLING_BYTES || tokens <= 0) return;
      const counted = Math.min(HIGHEST, Math.max(LOWEST, tokens / bytes));
      tokensPerByte = tokensPerByte * (1 - WEIGHT) + counted * WEIGHT;
    },
  };
}
