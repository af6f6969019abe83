import { expect, it } from 'vitest';
import { ApiError } from '../../../simulator/anthropic/api/api-error.ts';
import { MinuteLimits } from '../../../simulator/anthropic/limits/minute-limits.ts';

const MODEL = 'claude-haiku-5-5';

function createLimits(limit: number) {
  let now = Date.UTC(2026, 10, 21);
  const limits = new MinuteLimits({ [MODEL]: limit }, 60_000, () => now);
  const take = (): Record<string, string> | ApiError => {
    try {
      return limits.take(MODEL);
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  };
  return { limits, take, pass: (ms: number) => (now += ms) };
}

it('counts down what remains', () => {
  const { take } = createLimits(2);
  expect(take()).toMatchObject({
    'anthropic-ratelimit-requests-limit': '2',
    'anthropic-ratelimit-requests-remaining': '1',
  });
  expect(take()).toMatchObject({ 'anthropic-ratelimit-requests-remaining': '0' });
});

it('refuses the next with the seconds until the oldest leaves the window', () => {
  const { take, pass } = createLimits(2);
  take();
  pass(10_500);
  take();
  pass(1_000);
  const refused = take();
  expect(refused).toMatchObject({ status: 429, type: 'rate_limit_error' });
  expect(refused).toMatchObject({
    options: { headers: { 'retry-after': '49', 'anthropic-ratelimit-requests-reset': '2026-11-21T00:01:00.000Z' } },
  });
});

it('lets as many start in any sixty seconds, and refused ones do not count', () => {
  const { take, pass } = createLimits(3);
  const starts: number[] = [];
  for (let i = 0; i < 400; i++) {
    if (!(take() instanceof ApiError)) starts.push(i * 700);
    pass(700);
  }
  for (const start of starts) {
    expect(starts.filter((other) => other >= start && other < start + 60_000).length).toBeLessThanOrEqual(3);
  }
  expect(starts.length).toBeGreaterThanOrEqual(13);
});

it('takes a new limit at once and leaves other models alone', () => {
  const { limits, take } = createLimits(1);
  take();
  expect(take()).toBeInstanceOf(ApiError);
  limits.set({ [MODEL]: 2 });
  expect(take()).not.toBeInstanceOf(ApiError);
  expect(limits.take('claude-sonnet-5-5')).toEqual({});
});
