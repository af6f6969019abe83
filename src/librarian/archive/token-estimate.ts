/** Estimates the tokens of a prompt from its bytes. All queries of one librarian share it. */
export interface TokenEstimate {
  /** Whether the provider has counted a prompt of this archive. */
  readonly isCounted: boolean;
  /** @param bytes UTF-8 bytes. @returns tokens, rounded up */
  toTokens(bytes: number): number;
  /** @returns UTF-8 bytes that have about so many tokens */
  toBytes(tokens: number): number;
  /** Corrects the estimate by what the provider billed for some prompt. */
  learn(bytes: number, tokens: number): void;
  /** Replaces the estimate by what the provider counted for the prompt that is sent next, or that it has just refused. */
  replace(bytes: number, tokens: number): void;
}

/**
 * Tokens a byte of code and JSON, of which most findings consist. Prose has about 0.25. Too low a guess is refused by the
 * provider, too high a one leaves findings out, and either is corrected by the first count.
 */
const FIRST_GUESS = 0.36;
/** Bounds of a count that is believed, tokens a byte. */
const LOWEST = 1 / 12;
const HIGHEST = 1;
/** Shorter prompts do not represent long ones. */
const MIN_BYTES = 2_000;
/** Share of a new count in the corrected estimate. */
const WEIGHT = 0.5;

export function createTokenEstimate(): TokenEstimate {
  let tokensPerByte = FIRST_GUESS;
  let isCounted = false;

  function mix(bytes: number, tokens: number, weight: number): void {
    if (bytes < MIN_BYTES || tokens <= 0) return;
    const counted = Math.min(HIGHEST, Math.max(LOWEST, tokens / bytes));
    tokensPerByte = tokensPerByte * (1 - weight) + counted * weight;
    isCounted = true;
  }

  return {
    get isCounted() {
      return isCounted;
    },
    toTokens: (bytes) => Math.ceil(bytes * tokensPerByte),
    toBytes: (tokens) => Math.max(0, Math.floor(tokens / tokensPerByte)),
    learn: (bytes, tokens) => mix(bytes, tokens, isCounted ? WEIGHT : 1),
    replace: (bytes, tokens) => mix(bytes, tokens, 1),
  };
}
