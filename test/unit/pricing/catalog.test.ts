import { describe, expect, it } from 'vitest';
import { TaskFailedError } from '../../../src/errors.ts';
import { createCatalog, type Catalog } from '../../../src/pricing/catalog.ts';

const catalog: Catalog = createCatalog([]);

const AT = new Date('2026-11-21T12:00:00Z');

describe('the own table', () => {
  it.each([
    ['claude-haiku-5-5', 'haiku', { input: 100, cacheWrite: 125, cacheRead: 10, output: 500 }],
    ['claude-haiku-4-5', 'haiku', { input: 1_000, cacheWrite: 1_250, cacheRead: 100, output: 5_000 }],
    ['claude-sonnet-5-5', 'sonnet', { input: 2_000, cacheWrite: 2_500, cacheRead: 100, output: 10_000 }],
    ['claude-sonnet-4-5', 'sonnet', { input: 3_000, cacheWrite: 3_750, cacheRead: 300, output: 15_000 }],
    ['gemini-3.5-flash-lite', 'gemini', { input: 300, cacheWrite: 300, cacheRead: 30, output: 2_500 }],
    ['deepseek-flash', 'deepseek', { input: 150, cacheWrite: 150, cacheRead: 3, output: 600 }],
  ])('prices %s and books it to %s', (id, costVendor, prices) => {
    expect(catalog.find(id, AT)).toMatchObject({ id, costVendor, prices });
  });

  it('prices a dated snapshot as its model, under the id that was asked for', () => {
    const entry = catalog.find('claude-haiku-4-5-20251001', AT);
    expect(entry).toEqual({
      ...catalog.find('claude-haiku-4-5', AT),
      id: 'claude-haiku-4-5-20251001',
      model: 'claude-haiku-4-5-20251001',
    });
  });

  it('knows the step above which a prompt costs five times as much', () => {
    const entry = catalog.find('claude-haiku-5-5', AT);
    expect(entry.priceStepTokens).toBe(100_000);
    expect(entry.pricesAboveStep).toEqual({ input: 500, cacheWrite: 625, cacheRead: 50, output: 2_500 });
  });
});

describe('peak hours of deepseek-flash', () => {
  it.each([
    ['2026-11-20T00:59:59Z', 150],
    ['2026-11-20T01:00:00Z', 300],
    ['2026-11-20T03:59:59Z', 300],
    ['2026-11-20T04:00:00Z', 150],
    ['2026-11-20T06:00:00Z', 300],
    ['2026-11-20T10:00:00Z', 150],
    ['2026-11-21T02:00:00Z', 150], // a Saturday
  ])('at %s an input token costs %i nano-dollars', (pricedAt, input) => {
    expect(catalog.find('deepseek-flash', new Date(pricedAt)).prices.input).toBe(input);
  });
});

describe('models outside the table', () => {
  it('takes the prices of a listed model', () => {
    expect(catalog.find('claude-opus-4-8', AT)).toMatchObject({
      vendor: 'anthropic',
      costVendor: 'anthropic',
      contextTokens: 1_000_000,
      prices: { input: 5_000, cacheWrite: 6_250, cacheRead: 500, output: 25_000 },
      priceStepTokens: null,
    });
  });

  it('takes the prices in force on the day asked for', () => {
    expect(catalog.find('gemini-3.6-flash', new Date('2026-12-31T00:00:00Z')).prices.output).toBe(3_750);
    expect(catalog.find('gemini-3.6-flash', new Date('2027-01-02T00:00:00Z')).prices.output).toBe(7_500);
  });

  it('takes a listed price step', () => {
    expect(catalog.find('gemini-2.5-pro', AT)).toMatchObject({
      priceStepTokens: 200_000,
      prices: { input: 1_250, cacheRead: 125, output: 10_000 },
      pricesAboveStep: { input: 2_500, cacheRead: 250, output: 15_000 },
    });
  });

  it('rounds a fraction of a nano-dollar up', () => {
    expect(catalog.find('deepseek-v4-pro', new Date('2026-08-01T12:00:00Z')).prices.cacheRead).toBe(4); // listed: 3.625
  });

  it('reserves for the dearest hour of a model whose price changes by the hour', () => {
    // Off its peak, what is reserved covers a peak that begins meanwhile; at its peak, each place that shows the price says so.
    const off = catalog.find('deepseek-v4-pro', new Date('2026-11-20T12:00:00Z'));
    const at = catalog.find('deepseek-v4-pro', new Date('2026-11-20T02:00:00Z'));
    expect([off.peakFactor, off.nowFactor, at.peakFactor, at.nowFactor]).toEqual([2, 1, 1, 2]);
  });

  it.each(['claude-sonnet-5-9', 'claude-opus-4-8-fast', 'claude-haiku-5-5x', 'gemma-3', 'gpt-6', 'nonsense', ''])(
    'refuses %j, which only resembles a known one or has no price',
    (id) => {
      expect(() => catalog.find(id, AT)).toThrow(TaskFailedError);
    },
  );
});

describe('a refusal', () => {
  it('names the model and the known ones, and has the reason "model"', () => {
    const refused = () => catalog.find('claude-nope', AT);
    expect(refused).toThrow(/"claude-nope".*claude-haiku-5-5/);
    expect(refused).toThrow(expect.objectContaining({ reason: 'model' }));
  });

  it('begins on the day a model retires', () => {
    expect(catalog.find('claude-sonnet-4-5', new Date('2026-11-29T23:59:59Z')).id).toBe('claude-sonnet-4-5');
    expect(() => catalog.find('claude-sonnet-4-5', new Date('2026-11-30T00:00:00Z'))).toThrow(/retired on 2026-11-30/);
    expect(() => catalog.find('claude-sonnet-4-5-20250929', new Date('2026-11-30T00:00:00Z'))).toThrow(/retired/);
  });

  it('does not reach comparisons: a retired model keeps its prices', () => {
    expect(catalog.findPrices('claude-sonnet-4-5', new Date('2027-01-01T00:00:00Z')).prices.input).toBe(3_000);
    expect(catalog.list(new Date('2027-01-01T00:00:00Z')).map((entry) => entry.id)).not.toContain('claude-sonnet-4-5');
  });
});
