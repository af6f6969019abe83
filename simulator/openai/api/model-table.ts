/** Whose rules a model is served by: they differ in what they refuse. */
export type ChatVendor = 'openai' | 'deepseek' | 'mistral' | 'local';

/** A model as the simulated providers of chat completions serve and bill it. */
export interface ServedChatModel {
  id: string;
  vendor: ChatVendor;
  /** Tokens of prompt and reply together. */
  contextTokens: number;
  /** Most tokens of a reply, reasoning included. */
  maxOutputTokens: number;
  /** UTF-16 code units of English or code that make one token. */
  charactersPerToken: number;
  /** How the model reasons before it answers; null: it does not. */
  reasoning: {
    efforts: readonly string[];
    defaultEffort: string;
    /** Whether the reply holds the reasoning as `reasoning_content`. */
    isShown: boolean;
    /** Whether a request with tools is refused unless its effort is `none`. */
    excludesTools: boolean;
  } | null;
  /** Whether `response_format` may be a JSON schema. */
  schema: boolean;
  nanoUsdPerToken: { input: number; output: number; cacheRead: number; cacheWrite: number };
  /** Whether the provider counts and bills what it writes into its cache. */
  billsCacheWrites: boolean;
  /**
   * Prompts above this many tokens cost so many times as much, for the whole request: "when a request's input exceeds 272K tokens".
   * https://docs.perplexity.ai/docs/gateway/models, https://developers.openai.com/api/docs/pricing
   */
  priceStep: { aboveTokens: number; input: number; output: number } | null;
}

/** https://platform.openai.com/docs/guides/latest-model: from GPT-5.1 on `none` is the least effort, before it is `minimal`. */
const EFFORTS_6 = ['none', 'low', 'medium', 'high', 'xhigh', 'max'];
const EFFORTS_5 = ['minimal', 'low', 'medium', 'high'];

/**
 * Function tools need effort `none` in chat completions from GPT-5.4 on, also where the request names no effort.
 * https://github.com/BerriAI/litellm/pull/34569, https://github.com/openai/openai-openapi/issues/541
 */
const REASONING_6 = { efforts: EFFORTS_6, defaultEffort: 'medium', isShown: false, excludesTools: true };
const REASONING_5_4 = {
  efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
  defaultEffort: 'none',
  isShown: false,
  excludesTools: true,
};
const STEP_6 = { aboveTokens: 272_000, input: 2, output: 1.5 };

/**
 * Models and prices, apart from the ledger's catalog on purpose: tests check the catalog against this bill. Windows and prices:
 * https://developers.openai.com/api/docs/models, https://platform.openai.com/docs/pricing, https://api-docs.deepseek.com/quick_start/pricing
 * (outside peak hours), https://mistral.ai/pricing/api. $1 per million tokens is 1,000 nano-dollars per token.
 */
export const SERVED_CHAT_MODELS: readonly ServedChatModel[] = [
  {
    id: 'gpt-6-luna',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 100, output: 500, cacheRead: 10, cacheWrite: 125 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-6-sol',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 2_000, output: 10_000, cacheRead: 200, cacheWrite: 2_500 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-6-astra',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 10_000, output: 50_000, cacheRead: 1_000, cacheWrite: 12_500 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-5.4-mini',
    vendor: 'openai',
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_5_4,
    schema: true,
    nanoUsdPerToken: { input: 750, output: 4_500, cacheRead: 75, cacheWrite: 750 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'gpt-5.4-nano',
    vendor: 'openai',
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_5_4,
    schema: true,
    nanoUsdPerToken: { input: 200, output: 1_250, cacheRead: 20, cacheWrite: 200 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'gpt-5.6-luna',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 200, output: 1_200, cacheRead: 20, cacheWrite: 250 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-5.6-terra',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 2_000, output: 12_000, cacheRead: 200, cacheWrite: 2_500 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-5.6-sol',
    vendor: 'openai',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: REASONING_6,
    schema: true,
    nanoUsdPerToken: { input: 4_000, output: 20_000, cacheRead: 400, cacheWrite: 5_000 },
    billsCacheWrites: true,
    priceStep: STEP_6,
  },
  {
    id: 'gpt-5-mini',
    vendor: 'openai',
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    charactersPerToken: 4,
    reasoning: { efforts: EFFORTS_5, defaultEffort: 'medium', isShown: false, excludesTools: false },
    schema: true,
    nanoUsdPerToken: { input: 250, output: 2_000, cacheRead: 25, cacheWrite: 250 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'gpt-4.1-mini',
    vendor: 'openai',
    contextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    charactersPerToken: 4,
    reasoning: null,
    schema: true,
    nanoUsdPerToken: { input: 400, output: 1_600, cacheRead: 100, cacheWrite: 400 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'deepseek-flash',
    vendor: 'deepseek',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    charactersPerToken: 10 / 3, // https://api-docs.deepseek.com/quick_start/token_usage
    // https://api-docs.deepseek.com/guides/thinking_mode: on by default, at `high`
    reasoning: {
      efforts: ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
      defaultEffort: 'high',
      isShown: true,
      excludesTools: false,
    },
    schema: false,
    nanoUsdPerToken: { input: 150, output: 600, cacheRead: 3, cacheWrite: 150 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'mistral-large-2512',
    vendor: 'mistral',
    contextTokens: 262_144,
    maxOutputTokens: 262_144,
    charactersPerToken: 3.5,
    reasoning: null,
    schema: true,
    nanoUsdPerToken: { input: 500, output: 1_500, cacheRead: 50, cacheWrite: 500 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'mistral-medium-3-5',
    vendor: 'mistral',
    contextTokens: 262_144,
    maxOutputTokens: 262_144,
    charactersPerToken: 3.5,
    reasoning: null,
    schema: true,
    nanoUsdPerToken: { input: 1_500, output: 7_500, cacheRead: 150, cacheWrite: 1_500 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'mistral-small-2603',
    vendor: 'mistral',
    contextTokens: 262_144,
    maxOutputTokens: 262_144,
    charactersPerToken: 3.5,
    reasoning: null,
    schema: true,
    nanoUsdPerToken: { input: 150, output: 600, cacheRead: 15, cacheWrite: 150 },
    billsCacheWrites: false,
    priceStep: null,
  },
  {
    id: 'qwen3:8b', // as Ollama serves it: no key, no price, no limits
    vendor: 'local',
    contextTokens: 40_960,
    maxOutputTokens: 40_960,
    charactersPerToken: 3,
    reasoning: null,
    schema: true,
    nanoUsdPerToken: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    billsCacheWrites: false,
    priceStep: null,
  },
];
