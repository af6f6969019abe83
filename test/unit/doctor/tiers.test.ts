import { expect, it } from 'vitest';
import { describeLimits } from '../../../src/doctor/tiers.ts';
import type { ModelLimits } from '../../../src/models/model.ts';

function limits(requests: number, inputTokens: number, outputTokens: number): ModelLimits {
  const state = (limit: number) => ({ limit, remaining: limit, resetAt: 0 });
  return { requests: state(requests), inputTokens: state(inputTokens), outputTokens: state(outputTokens) };
}

it.each([
  [limits(1_000, 2_000_000, 400_000), '1,000 calls, 2.0M tokens in, 400k tokens out a minute: the Start tier'],
  [limits(5_000, 5_000_000, 1_000_000), '5,000 calls, 5.0M tokens in, 1.0M tokens out a minute: the Build tier'],
  [
    limits(50, 50_000, 10_000),
    '50 calls, 50k tokens in, 10k tokens out a minute: below the Start tier, as an Evaluation account or a workspace with limits of its own has',
  ],
  [limits(10_000, 10_000_000, 2_000_000), '10k calls, 10.0M tokens in, 2.0M tokens out a minute: above the Build tier'],
  [limits(2_000, 2_000_000, 400_000), '2,000 calls, 2.0M tokens in, 400k tokens out a minute'],
])('%j reads: %s', (stated, text) => {
  expect(describeLimits('claude-haiku-5-5', stated)).toBe(text);
});

it('names no tier of a model or of limits that no table knows', () => {
  const start = limits(1_000, 2_000_000, 400_000);
  expect(describeLimits('claude-haiku-4-5', start)).toBe('1,000 calls, 2.0M tokens in, 400k tokens out a minute');
  const { requests: _requests, ...partly } = start;
  expect(describeLimits('claude-haiku-5-5', partly)).toBe('2.0M tokens in, 400k tokens out a minute');
});
