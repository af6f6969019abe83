import type { Effort } from '../../../queues/effort.ts';

/** A model as the simulated provider serves and bills it. */
export interface ServedModel {
  id: string;
  displayName: string;
  line: 'haiku' | 'sonnet' | 'other';
  lifecycle: 'active' | 'deprecated';
  /** RFC 3339, or null while none is scheduled. */
  retiresAt: string | null;
  /** Tokens of prompt and reply together. */
  contextTokens: number;
  /** Most tokens of a reply, thinking included. */
  maxOutputTokens: number;
  /** UTF-16 code units of English or code that make one token. */
  charactersPerToken: number;
  /** A shorter prefix is not cached. */
  cacheMinimumTokens: number;
  /** How the model thinks before it answers. Null: it does not. */
  thinking: { defaultEffort: Effort; canBeDisabled: boolean } | null;
  /** Whether `tool_choice` of type `any` or `tool` is accepted while the model does not think. */
  forcedToolChoice: boolean;
  nanoUsdPerToken: { input: number; output: number; cacheWrite: number; cacheRead: number };
  /** Prompts above this many tokens cost `factor` times as much, for the whole request. */
  priceStep: { aboveTokens: number; factor: number } | null;
}

/**
 * The tokenizer of the 5.5 models makes one million tokens of 2.5 million characters, 30 % more tokens than that of the 4.5
 * models. https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
const CHARACTERS_PER_TOKEN_5_5 = 2.5;
const CHARACTERS_PER_TOKEN_4_5 = 3.25;

/**
 * Models and prices, apart from the ledger's catalog on purpose: tests check the catalog against this bill, and a shared table
 * would repeat its mistakes. $1 per million tokens is 1,000 nano-dollars per token.
 * Windows and outputs: https://platform.claude.com/docs/en/about-claude/models/overview. Prices: …/about-claude/pricing.
 * Cache minimum: …/build-with-claude/prompt-caching. Thinking and its default effort: …/about-claude/models/migration-guide.
 */
export const SERVED_MODELS: readonly ServedModel[] = [
  {
    id: 'claude-haiku-5-5',
    displayName: 'Claude Haiku 5.5',
    line: 'haiku',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    charactersPerToken: CHARACTERS_PER_TOKEN_5_5,
    cacheMinimumTokens: 512,
    thinking: { defaultEffort: 'medium', canBeDisabled: true },
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 100, output: 500, cacheWrite: 125, cacheRead: 10 },
    priceStep: { aboveTokens: 100_000, factor: 5 },
  },
  {
    id: 'claude-haiku-4-5',
    displayName: 'Claude Haiku 4.5',
    line: 'haiku',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    charactersPerToken: CHARACTERS_PER_TOKEN_4_5,
    cacheMinimumTokens: 4_096,
    thinking: null,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 1_000, output: 5_000, cacheWrite: 1_250, cacheRead: 100 },
    priceStep: null,
  },
  {
    id: 'claude-sonnet-5-5',
    displayName: 'Claude Sonnet 5.5',
    line: 'sonnet',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    charactersPerToken: CHARACTERS_PER_TOKEN_5_5,
    cacheMinimumTokens: 512,
    thinking: { defaultEffort: 'high', canBeDisabled: false },
    forcedToolChoice: false,
    nanoUsdPerToken: { input: 2_000, output: 10_000, cacheWrite: 2_500, cacheRead: 100 },
    priceStep: null,
  },
  {
    id: 'claude-sonnet-4-5',
    displayName: 'Claude Sonnet 4.5',
    line: 'sonnet',
    lifecycle: 'deprecated',
    retiresAt: '2026-11-30T00:00:00Z',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    charactersPerToken: CHARACTERS_PER_TOKEN_4_5,
    cacheMinimumTokens: 1_024,
    thinking: null,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 3_000, output: 15_000, cacheWrite: 3_750, cacheRead: 300 },
    priceStep: null,
  },
  {
    id: 'deepseek-flash', // another vendor's model behind the same API, at its price outside peak hours
    displayName: 'DeepSeek Flash',
    line: 'other',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    charactersPerToken: 10 / 3, // https://api-docs.deepseek.com/quick_start/token_usage
    cacheMinimumTokens: 1_024, // its own cache is not simulated
    thinking: null,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 150, output: 600, cacheWrite: 150, cacheRead: 3 },
    priceStep: null,
  },
];

/** What the 5.5 models had before their windows were documented. */
const LENIENT_LIMITS: Record<string, Pick<ServedModel, 'contextTokens' | 'maxOutputTokens'>> = {
  'claude-haiku-5-5': { contextTokens: 200_000, maxOutputTokens: 64_000 },
  'claude-sonnet-5-5': { contextTokens: 1_000_000, maxOutputTokens: 64_000 },
};

/** The model under the rules `lenient`. */
export function toLenient(model: ServedModel): ServedModel {
  return { ...model, charactersPerToken: 4, cacheMinimumTokens: 1_024, thinking: null, ...LENIENT_LIMITS[model.id] };
}
