import type { Usage } from '../../queues/usage.ts';
import type { CatalogEntry } from './catalog.ts';
import type { Prices } from './rows/types.ts';
import { toPromptTokens, withoutUsage } from './tokens.ts';

/**
 * Percent of the list price that Anthropic bills for a call that it served inside the USA only.
 * https://platform.claude.com/docs/en/about-claude/pricing#data-residency-pricing
 */
const US_PERCENT = 110;

/**
 * What a reply cost, in nano-dollars. The tokens of the whole prompt, cached or not, decide whether a price step is passed.
 * @param entry the entry that was looked up for this call: its prices depend on the hour
 * @param geo where the provider says that it served the call; `us` costs a tenth more
 */
export function costNanoUsd(entry: CatalogEntry, usage: Usage, geo?: string): number {
  const prices = pricesFor(entry, toPromptTokens(usage));
  const list =
    usage.input * prices.input +
    usage.cache_write * prices.cacheWrite +
    usage.cache_read * prices.cacheRead +
    usage.output * prices.output;
  return geo === 'us' ? atUsPrice(entry, list) : list;
}

export interface CallBound {
  /** An upper bound of the prompt's tokens (`boundTokens`). */
  inputTokensBound: number;
  /** `max_tokens` of the request: most tokens of the reply. */
  maxTokens: number;
  /** False: the request writes nothing to the provider's cache, so that no prompt token costs the price of a write. Default true. */
  mayCache?: boolean;
}

/**
 * The most that a call can cost, in nano-dollars: every prompt token at the highest input price, above the price step if the
 * bound is above it, at peak price if a peak hour could begin before the reply is billed, and at the price of the USA, which
 * may be the account's default.
 */
export function worstCaseNanoUsd(entry: CatalogEntry, bound: CallBound): number {
  const { inputTokensBound, maxTokens, mayCache = true } = bound;
  const prices = pricesFor(entry, inputTokensBound);
  const highest = Math.max(prices.input, prices.cacheRead, mayCache ? prices.cacheWrite : 0);
  return atUsPrice(entry, (inputTokensBound * highest + maxTokens * prices.output) * entry.peakFactor);
}

/** A provider, or a gateway before it, may put a small number in place of the prompt's tokens until the reply ends. */
const LEAST_SHARE_OF_BOUND = 0.25;

/**
 * The most that a call can cost once its provider has reported what the prompt used: that, and the longest reply. Nano-dollars,
 * never above `worstCaseNanoUsd`.
 * @param reported usage so far; a prompt far below its bound is not believed
 */
export function mostNanoUsd(entry: CatalogEntry, bound: CallBound, reported: Usage): number {
  const worst = worstCaseNanoUsd(entry, bound);
  const promptTokens = toPromptTokens(reported);
  if (promptTokens < bound.inputTokensBound * LEAST_SHARE_OF_BOUND) return worst;
  const list = costNanoUsd(entry, { ...reported, output: Math.max(reported.output, bound.maxTokens) });
  return Math.min(worst, atUsPrice(entry, list * entry.peakFactor));
}

/**
 * What the same tokens would have cost on a Sonnet model, in nano-dollars. The usage is a sum over many calls, so that it
 * applies no price step: the true saving can only be larger.
 * @param sonnet entry of the model to compare with (`findPrices`)
 */
export function allSonnetNanoUsd(sonnet: CatalogEntry, usage: Usage): number {
  return costNanoUsd({ ...sonnet, priceStepTokens: null }, usage);
}

/**
 * What the provider's cache saved, in nano-dollars: the reads at the price of fresh input, less what reads and writes cost.
 * Negative: more was written than read again. The usage is a sum over many calls, so that it applies no price step.
 */
export function cacheSavedNanoUsd({ prices }: CatalogEntry, { cache_write, cache_read }: Usage): number {
  return cache_read * (prices.input - prices.cacheRead) - cache_write * (prices.cacheWrite - prices.input);
}

/**
 * Share of `allSonnetNano` that was saved, in percent, unrounded; negative where the work cost more; 0 where
 * `allSonnetNano` is 0.
 */
export function toSavedPercent(costNano: number, allSonnetNano: number): number {
  return allSonnetNano === 0 ? 0 : (100 * (allSonnetNano - costNano)) / allSonnetNano;
}

/** A saving against all Sonnet, before and after rework. Percent, unrounded. */
export interface Saving {
  /** Compares all tokens, also those of work that failed. */
  savedPercent: number;
  /**
   * After rework: compares all money with only the tokens of work that ended in a finding. Null where money was spent and no
   * work ended in a finding.
   */
  effectiveSavedPercent: number | null;
}

/** @param rework the part of `usage` of tasks that failed or were handed back */
export function toSaving(sonnet: CatalogEntry, costNano: number, usage: Usage, rework: Usage): Saving {
  const done = allSonnetNanoUsd(sonnet, withoutUsage(usage, rework));
  return {
    savedPercent: toSavedPercent(costNano, allSonnetNanoUsd(sonnet, usage)),
    effectiveSavedPercent: done === 0 && costNano > 0 ? null : toSavedPercent(costNano, done),
  };
}

function pricesFor(entry: CatalogEntry, promptTokens: number): Prices {
  const above = entry.priceStepTokens !== null && promptTokens > entry.priceStepTokens;
  return above ? (entry.pricesAboveStep ?? entry.prices) : entry.prices;
}

function atUsPrice(entry: CatalogEntry, nanoUsd: number): number {
  return entry.vendor === 'anthropic' ? Math.ceil((nanoUsd * US_PERCENT) / 100) : nanoUsd;
}
