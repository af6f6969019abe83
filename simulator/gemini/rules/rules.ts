import { CHARACTERS_PER_TOKEN, estimateTokens } from '../../provider-host/tokens.ts';
import type { ServedGemini } from '../api/served-models.ts';
import { toThoughtTokens, type ThinkingConfig } from './thinking.ts';
import { countGeminiTokens, cutToGeminiTokens } from './token-count.ts';

/** What the simulated provider counts, and whether it checks what the real one checks. */
export interface GeminiRules {
  countTokens(text: string): number;
  /** The beginning of a text that has at most so many tokens. */
  cutToTokens(text: string, tokens: number): string;
  /** Tokens of the thinking before a reply. @param hash of the prompt; @param text tokens of the reply's text */
  countThoughts(model: ServedGemini, config: ThinkingConfig, hash: string, text: number): number;
  /** Whether half a surrogate pair and a function call without its signature are refused. */
  strict: boolean;
}

type RulesName = 'real' | 'lenient';

export const DEFAULT_GEMINI_RULES: RulesName = 'real';

/**
 * `real`: as the provider counts and checks. `lenient`: four characters a token, a quarter of a reply as thinking, whatever
 * the model, and no checks; for a test that is about something else.
 */
export const GEMINI_RULES: Record<RulesName, GeminiRules> = {
  real: {
    countTokens: countGeminiTokens,
    cutToTokens: cutToGeminiTokens,
    countThoughts: toThoughtTokens,
    strict: true,
  },
  lenient: {
    countTokens: estimateTokens,
    cutToTokens: (text, tokens) => text.slice(0, tokens * CHARACTERS_PER_TOKEN),
    countThoughts: (_model, _config, _hash, text) => Math.ceil((text + 1) / 4),
    strict: false,
  },
};
