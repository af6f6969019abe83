import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billNanoUsd, findServedModel } from '../../../simulator/anthropic/api/served-model.ts';
import { billChatNanoUsd, findChatModel } from '../../../simulator/openai/api/served-model.ts';
import { toUsdString } from '../../../src/pricing/money.ts';
import {
  allSonnetNanoUsd,
  costNanoUsd,
  mostNanoUsd,
  toSavedPercent,
  worstCaseNanoUsd,
} from '../../../src/pricing/cost.ts';
import { toPromptTokens } from '../../../src/pricing/tokens.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';

const catalog = createCatalog([]);

const AT = new Date('2026-11-21T12:00:00Z');
const haiku = catalog.find('claude-haiku-5-5', AT);
const oldHaiku = catalog.find('claude-haiku-4-5', AT);
const oldSonnet = catalog.find('claude-sonnet-4-5', AT);

const usageOf = (input: number, output: number): Usage => ({ input, cache_write: 0, cache_read: 0, output });
const tokens = fc.integer({ min: 0, max: 1_000_000 });
const anyUsage = fc.record({ input: tokens, cache_write: tokens, cache_read: tokens, output: tokens });
const anyModel = fc.constantFrom(...catalog.list(AT), catalog.find('claude-opus-4-8', AT));

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
  const sonnet = allSonnetNanoUsd(catalog.find('claude-sonnet-5-5', AT), usage);
  expect(toUsdString(costNanoUsd(haiku, usage), 6)).toBe('0.000110');
  expect(toUsdString(sonnet, 6)).toBe('0.002200');
  expect(toSavedPercent(costNanoUsd(haiku, usage), sonnet).toFixed(1)).toBe('95.0');
});

describe('the price step', () => {
  const billOf: [string, (id: string, usage: Usage) => number][] = [
    ['claude-haiku-5-5', (id, usage) => billNanoUsd(findServedModel(id), usage)],
    ...['gpt-6-luna', 'gpt-6-sol', 'gpt-6-astra'].map((id): [string, (id: string, usage: Usage) => number] => [
      id,
      (chat, usage) => billChatNanoUsd(findChatModel(chat), usage),
    ]),
  ];
  it.each(billOf)('of %s begins where its simulated provider bills it', (id, bill) => {
    const entry = catalog.find(id, AT);
    const edge = entry.priceStepTokens ?? 0;
    expect(edge).toBeGreaterThan(0);
    for (const more of [-1, 0, 1]) {
      const usage = { input: edge - 5_000 + more, cache_write: 2_000, cache_read: 3_000, output: 77 };
      expect(costNanoUsd(entry, usage)).toBe(bill(id, usage));
    }
  });

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
    const gemini = catalog.find('gemini-3.5-flash-lite', AT);
    expect(costNanoUsd(gemini, usageOf(100, 200), 'us')).toBe(costNanoUsd(gemini, usageOf(100, 200)));
  });
});

it('reserves no write of the cache for a call that writes none', () => {
  const bound = { inputTokensBound: 1_000, maxTokens: 100 };
  const difference = 27_500; // at the price of the USA
  expect(worstCaseNanoUsd(haiku, bound) - worstCaseNanoUsd(haiku, { ...bound, mayCache: false })).toBe(difference);
});

it('reserves for peak hours when a call could be billed in them', () => {
  const before = catalog.find('deepseek-flash', new Date('2026-11-20T00:59:59Z'));
  const during = catalog.find('deepseek-flash', new Date('2026-11-20T01:00:00Z'));
  const usage = usageOf(1_000, 100);
  expect(worstCaseNanoUsd(before, { inputTokensBound: 1_000, maxTokens: 100 })).toBe(costNanoUsd(during, usage));
});

it('saves nothing where there is nothing to compare with', () => {
  expect(toSavedPercent(0, 0)).toBe(0);
});

describe('the most that a call can cost once its prompt is reported', () => {
  const anyGeo = fc.constantFrom('us', 'global', undefined);

  it('is at least its bill, whatever the reply is, and at most its worst case', () => {
    fc.assert(
      fc.property(
        anyModel,
        anyUsage,
        tokens,
        fc.double({ min: 0, max: 1, noNaN: true }),
        anyGeo,
        (entry, usage, room, share, geo) => {
          const bound = { inputTokensBound: Math.ceil(toPromptTokens(usage) * (1 + share)), maxTokens: room };
          const begun = { ...usage, output: 1 };
          const most = mostNanoUsd(entry, bound, begun);
          const bill = costNanoUsd(entry, { ...usage, output: Math.floor(room * share) }, geo);
          expect(bill).toBeLessThanOrEqual(most);
          expect(most).toBeLessThanOrEqual(worstCaseNanoUsd(entry, bound));
        },
      ),
    );
  });

  it('is the worst case while the report names far fewer tokens than the prompt can have', () => {
    const bound = { inputTokensBound: 10_000, maxTokens: 1_000 };
    expect(mostNanoUsd(haiku, bound, usageOf(0, 1))).toBe(worstCaseNanoUsd(haiku, bound));
    expect(mostNanoUsd(haiku, bound, usageOf(5_000, 1))).toBeLessThan(worstCaseNanoUsd(haiku, bound));
  });
});
