/**
 * The fleet's own dated price list: the default models and the 4.5 generation. Checked on 2026-11-21 against
 * https://platform.claude.com/docs/en/about-claude/pricing, https://ai.google.dev/gemini-api/docs/pricing and
 * https://api-docs.deepseek.com/quick_start/pricing. A new price is a new row with its own `since`, never an edit: booked costs
 * can be explained later.
 */

export type Vendor = 'anthropic' | 'google' | 'deepseek';

/** Nano-dollars per token, whole numbers. One dollar per million tokens is 1,000. */
export interface Prices {
  input: number;
  /** Of a cache entry that lives five minutes; the fleet requests no other. */
  cacheWrite: number;
  cacheRead: number;
  output: number;
}

/** Limits and prices of one model at one instant. */
export interface ModelPrices {
  /** The id that was looked up. */
  id: string;
  vendor: Vendor;
  /** The whole context window, prompt and output. */
  contextTokens: number;
  maxOutputTokens: number;
  /** First UTC day of these prices, `YYYY-MM-DD`; null: there are no older ones. */
  since: string | null;
  /** First UTC day on which the provider no longer serves the model; null while none is announced. */
  until: string | null;
  /** Prompts above this many tokens cost `pricesAboveStep` for the whole request; null: one price for all. */
  priceStepTokens: number | null;
  /** In force at that instant, peak hours included. */
  prices: Prices;
  pricesAboveStep: Prices | null;
  /** How many times `prices` the same request can cost at another hour of the day; 1 for most. */
  peakFactor: number;
}

/** Prices of one model from one day on. */
export interface PriceRow {
  id: string;
  vendor: Vendor;
  /** The whole context window, prompt and output. */
  contextTokens: number;
  maxOutputTokens: number;
  /** First UTC day of these prices; null where no older row exists. */
  since: string | null;
  /** First UTC day on which the provider no longer serves the model; null while none is announced. */
  until: string | null;
  prices: Prices;
  /** A prompt above `tokens` costs `factor` times the prices, for the whole request. */
  step: { tokens: number; factor: number } | null;
  /** Hours (UTC, half open, Monday to Friday) at which everything costs `factor` times the prices. */
  peak: { factor: number; hours: readonly (readonly [from: number, to: number])[] } | null;
}

export const PRICE_TABLE: readonly PriceRow[] = [
  {
    id: 'claude-haiku-5-5',
    vendor: 'anthropic',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: { input: 100, cacheWrite: 125, cacheRead: 10, output: 500 },
    step: { tokens: 100_000, factor: 5 },
    peak: null,
  },
  {
    id: 'claude-haiku-4-5',
    vendor: 'anthropic',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: { input: 1_000, cacheWrite: 1_250, cacheRead: 100, output: 5_000 },
    step: null,
    peak: null,
  },
  {
    id: 'claude-sonnet-5-5',
    vendor: 'anthropic',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: { input: 2_000, cacheWrite: 2_500, cacheRead: 100, output: 10_000 },
    step: null,
    peak: null,
  },
  {
    id: 'claude-sonnet-4-5',
    vendor: 'anthropic',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    since: null,
    until: '2026-11-30',
    prices: { input: 3_000, cacheWrite: 3_750, cacheRead: 300, output: 15_000 },
    step: null,
    peak: null,
  },
  {
    id: 'gemini-3.5-flash-lite',
    vendor: 'google',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: { input: 300, cacheWrite: 300, cacheRead: 30, output: 2_500 },
    step: null,
    peak: null,
  },
  {
    id: 'deepseek-flash',
    vendor: 'deepseek',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: null,
    until: null,
    prices: { input: 150, cacheWrite: 150, cacheRead: 3, output: 600 },
    step: null,
    // Chinese public holidays are off-peak, too; here they cost the peak price, so that no call is booked too low.
    peak: {
      factor: 2,
      hours: [
        [1, 4],
        [6, 10],
      ],
    },
  },
];
