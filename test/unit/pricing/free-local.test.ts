import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatCost, formatSpent } from '../../../src/pricing/free-local.ts';

/** What of the dashboard's `format.js` repeats the words, because a browser runs it. */
interface Page {
  spent(nanoUsd: number, decimals: number, freeLocal?: number): string;
  findingCost(usd: number, isFreeLocal?: boolean): string;
}
const PAGE = '../../../dashboards/pages/assets/format.js';
let page: Page;

beforeAll(async () => {
  vi.stubGlobal('document', { querySelector: () => ({ content: '' }) });
  page = (await import(PAGE)) as Page;
});

afterAll(() => vi.unstubAllGlobals());

describe('what costs nothing a token', () => {
  it.each([
    [0, undefined, '$0.0000'],
    [0, 3, 'free-local'],
    [1_200_000, undefined, '$0.0012'],
    [1_200_000, 1, '$0.0012 and 1 call free-local'],
    [1_200_000, 2_000, '$0.0012 and 2,000 calls free-local'],
  ])('%d nano-dollars with %s free local calls: %s, in text and on pages', (nanoUsd, freeLocal, text) => {
    expect(formatSpent(nanoUsd, 4, freeLocal)).toBe(text);
    expect(page.spent(nanoUsd, 4, freeLocal)).toBe(text);
  });

  it('is said of one finding, but not where it has cost something before another model took over', () => {
    expect([formatCost(0, 6, true), page.findingCost(0, true)]).toEqual(['free-local', 'free-local']);
    expect([formatCost(5_000, 6, true), page.findingCost(0.000005, true)]).toEqual(['$0.000005', '$0.000005']);
    expect([formatCost(0, 6, false), page.findingCost(0)]).toEqual(['$0.000000', '$0.000000']);
  });
});
