import type { CatalogEntry, Prices } from './catalog.ts';
import type { Usage } from '../../queues/usage.ts';
import { toPromptTokens, withoutUsage } from './tokens.ts';

/**
 * What a reply cost, in nano-dollars. The whole prompt, cached or not, decides which side of a price step the request is on.
 * @param entry the entry found for this very call: its prices are those of that hour
 */
export function costNanoUsd(entry: CatalogEntry, usage: Usage): number {
  const prices = pricesFor(entry, toPromptTokens(usage));
  return (
    usage.input * prices.input +
    usage.cache_write * prices.cacheWrite +
    usage.cache_read * prices.cacheRead +
    usage.output * prices.output
  );
}

export interface CallBound {
  /** No prompt of this call can have more tokens. Any upper bound will do; UTF-8 bytes are one. */
  inputTokensBound: number;
  /** `max_tokens` of the request: the most it can answer. */
  maxTokens: number;
}

/**
 * The most a call can cost, in nano-dollars: every prompt token at the dearest input rate, the price step passed if the
 * bound passes it, and peak hours if they could begin before the reply is billed.
 */
export function worstCaseNanoUsd(entry: CatalogEntry, { inputTokensBound, maxTokens }: CallBound): number {
  const prices = pricesFor(entry, inputTokensBound);
  const dearest = Math.max(prices.input, prices.cacheWrite, prices.cacheRead);
  return (inputTokensBound * dearest + maxTokens * prices.output) * entry.peakFactor;
}

/**
 * What the same tokens would have cost on a Sonnet model, in nano-dollars. It takes sums over many calls, so it knows no
 * price step: the comparison can only come out too modest.
 * @param sonnet entry of the model to compare with (`findPrices`)
 */
export function allSonnetNanoUsd(sonnet: CatalogEntry, usage: Usage): number {
  return costNanoUsd({ ...sonnet, priceStepTokens: null }, usage);
}

/**
 * Share of `allSonnetNano` that was saved, in percent, unrounded; negative when it cost more; 0 when there is nothing to
 * compare with.
 */
export function toSavedPercent(costNano: number, allSonnetNano: number): number {
  return allSonnetNano === 0 ? 0 : (100 * (allSonnetNano - costNano)) / allSonnetNano;
}

/** A saving against all Sonnet, as it looks and as it is. Percent, unrounded. */
export interface Saving {
  /** All tokens compared, whatever became of them. */
  savedPercent: number;
  /**
   * After rework: all money counts as spent, and only tokens of work that ended in a finding as saved. Null where money
   * was spent and nothing came of it.
   */
  effectiveSavedPercent: number | null;
}

/** @param rework tokens of `usage` that were spent on tasks that failed or were handed back */
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
