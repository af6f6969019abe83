import { describe, expect, test } from 'vitest';
import { createTokenEstimate } from '../../../src/librarian/archive/token-estimate.ts';

describe('the estimate of a prompt’s tokens', () => {
  test('begins with what code and JSON have', () => {
    const estimate = createTokenEstimate();
    expect(estimate.toTokens(100_000)).toBe(36_000);
    expect(estimate.toBytes(36_000)).toBe(100_000);
    expect(estimate.isCounted).toBe(false);
  });

  test('takes the first count as it is, and half of each later one', () => {
    const estimate = createTokenEstimate();
    estimate.learn(100_000, 25_000);
    expect([estimate.toTokens(100_000), estimate.isCounted]).toEqual([25_000, true]);
    estimate.learn(100_000, 50_000);
    expect(estimate.toTokens(100_000)).toBe(37_500);
  });

  test('takes a count of the prompt at hand as it is', () => {
    const estimate = createTokenEstimate();
    estimate.learn(100_000, 20_000);
    estimate.replace(100_000, 50_000);
    expect(estimate.toTokens(100_000)).toBe(50_000);
  });

  test.each([
    ['a short prompt', 1_000, 900],
    ['no count', 100_000, 0],
  ])('learns nothing from %s', (_, bytes, tokens) => {
    const estimate = createTokenEstimate();
    estimate.replace(bytes, tokens);
    expect([estimate.toTokens(100_000), estimate.isCounted]).toEqual([36_000, false]);
  });

  test('believes no count that no tokenizer gives', () => {
    const estimate = createTokenEstimate();
    estimate.replace(100_000, 900_000);
    expect(estimate.toTokens(100_000)).toBe(100_000);
    estimate.replace(100_000, 10);
    expect(estimate.toTokens(119_999)).toBe(10_000);
  });
});
