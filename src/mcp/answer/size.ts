import { boundTokens } from '../../pricing/token-bound.ts';

/** Most tokens of a whole answer: its text and its structured content together. */
export const MOST_TOKENS = 8_000;

/** Tokens of any JSON value, by the upper bound that the fleet uses for prompts. */
export function countTokens(value: unknown): number {
  return boundTokens(JSON.stringify(value)).tokens;
}
