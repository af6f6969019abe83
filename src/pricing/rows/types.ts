import type { ModelAbilities, ModelApi, ModelRateLimits } from '../../config/model-rows/types.ts';

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
  vendor: string;
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
  vendor: string;
  api: ModelApi;
  abilities: ModelAbilities;
  /** The provider's name for it; default: the id. */
  model?: string;
  /** Default: the vendor's own. */
  baseUrl?: string | null;
  keyEnv?: string | null;
  limits?: ModelRateLimits;
  /** It costs nothing a token. Default false. */
  isLocal?: boolean;
  /** The whole context window, prompt and output. */
  contextTokens: number;
  maxOutputTokens: number;
  /** First UTC day of these prices; null where no older row exists. */
  since: string | null;
  /** First UTC day on which the provider no longer serves the model; null while none is announced. */
  until: string | null;
  prices: Prices;
  /** A prompt above `tokens` costs `factor` times the prices, or other ones, for the whole request. */
  step: { tokens: number; factor: number } | { tokens: number; prices: Prices } | null;
  /** Hours (UTC, half open, Monday to Friday) at which everything costs `factor` times the prices. */
  peak: { factor: number; hours: readonly (readonly [from: number, to: number])[] } | null;
}

/** Prices in dollars a million tokens, as the providers print them; a fraction of a nano-dollar is rounded up. */
export function usd(input: number, output: number, { read, write }: { read: number; write?: number }): Prices {
  const toNano = (price: number): number => Math.ceil(Number((price * 1_000).toFixed(6)));
  return { input: toNano(input), cacheWrite: toNano(write ?? input), cacheRead: toNano(read), output: toNano(output) };
}
