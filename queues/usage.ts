/** Tokens of one reply, or of several in sum. */
export interface Usage {
  /** Tokens of the prompt that were neither written to the provider's cache nor read from it. */
  input: number;
  cache_write: number;
  cache_read: number;
  output: number;
}
