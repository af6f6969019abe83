import { expect, it, vi } from 'vitest';
import { toReservedBound, type CallSize } from '../../../src/ledger/calls/call-bound.ts';
import { worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const catalog = createCatalog([]);

const AT = new Date('2026-11-21T12:00:00Z');
const haiku = catalog.find('claude-haiku-5-5', AT);
const sonnet = catalog.find('claude-sonnet-5-5', AT);
const { signal } = new AbortController();

function toSize(more: Partial<CallSize>): CallSize {
  return { inputTokensBound: 70_000, inputBytesBound: 105_000, maxTokens: 32_000, ...more };
}

it('takes the bound of ordinary text while its bytes stay below the price step and 20 cents', async () => {
  const countInput = vi.fn(async () => 60_000);
  const size = toSize({ inputBytesBound: 100_000, countInput });
  expect(await toReservedBound(haiku, size, signal)).toMatchObject({ inputTokensBound: 70_000, maxTokens: 32_000 });
  expect(countInput).not.toHaveBeenCalled();
});

it('lets the provider count a prompt whose bytes could pass the price step', async () => {
  const bound = await toReservedBound(haiku, toSize({ countInput: async () => 69_000 }), signal);
  expect(bound).toMatchObject({ inputTokensBound: 72_450, maxTokens: 32_000 });
  const byBytes = worstCaseNanoUsd(haiku, { inputTokensBound: 105_000, maxTokens: 32_000 });
  expect(worstCaseNanoUsd(haiku, bound)).toBeLessThan(byBytes / 5);
});

it('lets the provider count a prompt that could cost more than 20 cents', async () => {
  const size = toSize({ inputTokensBound: 60_000, inputBytesBound: 150_000, countInput: async () => 50_000 });
  expect(await toReservedBound(sonnet, size, signal)).toMatchObject({ inputTokensBound: 52_500 });
});

it('keeps the price above the step where the provider counts that many', async () => {
  const bound = await toReservedBound(haiku, toSize({ countInput: async () => 99_000 }), signal);
  expect(bound.inputTokensBound).toBe(103_950);
  expect(worstCaseNanoUsd(haiku, bound)).toBeGreaterThan(103_950 * 5 * haiku.prices.cacheWrite);
});

it('never takes more than the bytes', async () => {
  const bound = await toReservedBound(haiku, toSize({ countInput: async () => 104_999 }), signal);
  expect(bound.inputTokensBound).toBe(105_000);
});

it.each<[string, Partial<CallSize>]>([
  ['cannot count', {}],
  ['does not know', { countInput: async () => null }],
  ['fails', { countInput: () => Promise.reject(new Error('429')) }],
])('takes the bytes where the provider %s', async (_, more) => {
  expect(await toReservedBound(haiku, toSize(more), signal)).toMatchObject({ inputTokensBound: 105_000 });
});

it('reserves so little for a task that reads 60 kB that a budget of one dollar serves thirty at once', () => {
  const countedTokens = 28_000; // system, tools and two earlier turns
  const read = 60_000 / 2.1;
  const worst = worstCaseNanoUsd(haiku, { inputTokensBound: countedTokens + read, maxTokens: 32_000 });
  expect(30 * worst).toBeLessThan(1e9);
});
