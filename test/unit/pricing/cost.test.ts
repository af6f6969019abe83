import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toUsdString } from '../../../src/pricing/money.ts';
import { allSonnetNanoUsd, costNanoUsd, toSavedPercent, worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { toPromptTokens } from '../../../src/pricing/tokens.ts';
import { findModel, listModels } from '../../../src/pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';

const AT = new Date('2026-11-21T12:00:00Z');
const haiku = findModel('claude-haiku-5-5', AT);
const oldHaiku = findModel('claude-haiku-4-5', AT);
const oldSonnet = findModel('claude-sonnet-4-5', AT);

const usageOf = (input: number, output: number): Usage => ({ input, cache_write: 0, cache_read: 0, output });
const tokens = fc.integer({ min: 0, max: 1_000_000 });
const anyUsage = fc.record({ input: tokens, cache_write: tokens, cache_read: tokens, output: tokens });
const anyModel = fc.constantFrom(...listModels(AT), findModel('claude-opus-4-8', AT));

describe('the worked example', () => {
  const task = usageOf(2_000, 500);
  const cost = 10 * costNanoUsd(oldSonnet, task) + 90 * costNanoUsd(oldHaiku, task);
  const allSonnet = 100 * allSonnetNanoUsd(oldSonnet, task);

  it('costs $0.54 with nine of ten tasks on Haiku', () => {
    expect(toUsdString(cost, 9)).toBe('0.540000000');
  });

  it('would have cost $1.35 on Sonnet alone', () => {
    expect(toUsdString(allSonnet, 9)).toBe('1.350000000');
  });

  it('saves 60.0 %', () => {
    expect(toSavedPercent(cost, allSonnet).toFixed(1)).toBe('60.0');
  });
});

it('prices 100 + 200 tokens of the default models as the printed example says', () => {
  const usage = usageOf(100, 200);
  const sonnet = allSonnetNanoUsd(findModel('claude-sonnet-5-5', AT), usage);
  expect(toUsdString(costNanoUsd(haiku, usage), 6)).toBe('0.000110');
  expect(toUsdString(sonnet, 6)).toBe('0.002200');
  expect(toSavedPercent(costNanoUsd(haiku, usage), sonnet).toFixed(1)).toBe('95.0');
});

describe('the price step', () => {
  it('leaves a prompt of exactly the step at the low price', () => {
    expect(costNanoUsd(haiku, usageOf(100_000, 10))).toBe(100_000 * 100 + 10 * 500);
  });

  it('makes the whole request five times as dear one token later', () => {
    expect(costNanoUsd(haiku, usageOf(100_001, 10))).toBe(5 * (100_001 * 100 + 10 * 500));
  });

  it('counts cached tokens into the prompt', () => {
    const usage: Usage = { input: 1, cache_write: 50_000, cache_read: 50_000, output: 0 };
    expect(costNanoUsd(haiku, usage)).toBe(5 * (100 + 50_000 * 125 + 50_000 * 10));
  });
});

it('costs whole nano-dollars, and never less for more tokens', () => {
  fc.assert(
    fc.property(
      anyModel,
      anyUsage,
      fc.constantFrom('input', 'cache_write', 'cache_read', 'output'),
      (model, usage, part) => {
        const cost = costNanoUsd(model, usage);
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(costNanoUsd(model, { ...usage, [part]: usage[part] + 1 })).toBeGreaterThan(cost);
      },
    ),
  );
});

it('never bills more than the worst case of the same call, wherever it is served', () => {
  fc.assert(
    fc.property(anyModel, anyUsage, tokens, fc.constantFrom('us', 'global'), (model, usage, slack, geo) => {
      const bound = { inputTokensBound: toPromptTokens(usage) + slack, maxTokens: usage.output };
      const cost = costNanoUsd(model, usage, geo);
      expect(Number.isSafeInteger(cost)).toBe(true);
      expect(cost).toBeLessThanOrEqual(worstCaseNanoUsd(model, bound));
    }),
  );
});

describe('a call that is served in the USA', () => {
  it('costs a tenth more', () => {
    expect(costNanoUsd(haiku, usageOf(100, 200), 'us')).toBe(121_000);
    expect(costNanoUsd(haiku, usageOf(100, 200), 'global')).toBe(110_000);
  });

  it('costs no more where another vendor bills it', () => {
    const gemini = findModel('gemini-3.5-flash-lite', AT);
    expect(costNanoUsd(gemini, usageOf(100, 200), 'us')).toBe(costNanoUsd(gemini, usageOf(100, 200)));
  });
});

it('reserves no write of the cache for a call that writes none', () => {
  const bound = { inputTokensBound: 1_000, maxTokens: 100 };
  const difference = 27_500; // at the price of the USA
  expect(worstCaseNanoUsd(haiku, bound) - worstCaseNanoUsd(haiku, { ...bound, mayCache: false })).toBe(difference);
});

it('reserves for peak hours when a call could be billed in them', () => {
  const before = findModel('deepseek-flash', new Date('2026-11-20T00:59:59Z'));
  const during = findModel('deepseek-flash', new Date('2026-11-20T01:00:00Z'));
  const usage = usageOf(1_000, 100);
  expect(worstCaseNanoUsd(before, { inputTokensBound: 1_000, maxTokens: 100 })).toBe(costNanoUsd(during, usage));
});

it('saves nothing where there is nothing to compare with', () => {
  expect(toSavedPercent(0, 0)).toBe(0);
});
