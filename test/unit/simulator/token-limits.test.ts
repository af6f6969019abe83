import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../simulator/anthropic/api/api-error.ts';
import type { Rules } from '../../../simulator/anthropic/api/rules.ts';
import { type TokenLimit, TokenLimits } from '../../../simulator/anthropic/limits/token-limits.ts';

const MODEL = 'claude-haiku-5-5';

function createLimits(limit?: TokenLimit, rules: Rules = 'real') {
  let now = Date.UTC(2026, 10, 21);
  const limits = new TokenLimits(rules, limit === undefined ? {} : { [MODEL]: limit }, () => now);
  const admit = (input = 0, key = 'a'): ApiError | null => {
    try {
      limits.admit(key, MODEL, input);
      return null;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  };
  return { limits, admit, headers: (key = 'a') => limits.toHeaders(key, MODEL), pass: (ms: number) => (now += ms) };
}

describe('the limits of a key and model', () => {
  it('refill continuously, a sixtieth a second', () => {
    const { admit, pass } = createLimits({ requests: 60, burstMs: 1_000 });
    expect(admit()).toBeNull();
    expect(admit()).toMatchObject({ status: 429, type: 'rate_limit_error' });
    pass(999);
    expect(admit()).toBeInstanceOf(ApiError);
    pass(1);
    expect(admit()).toBeNull();
  });

  it('let a minute of them start at once, and only what refills after', () => {
    const { admit, pass } = createLimits({ requests: 50 });
    const refused = Array.from({ length: 60 }, () => admit()).filter((error) => error !== null);
    expect(refused).toHaveLength(10);
    pass(6_000);
    expect(Array.from({ length: 10 }, () => admit()).filter((error) => error === null)).toHaveLength(5);
  });

  it('count input before the call and output after it, into debt', () => {
    const { limits, admit, pass } = createLimits({ inputTokens: 1_000, outputTokens: 600 });
    expect(admit(900)).toBeNull();
    expect(admit(200)?.message).toContain('1,000 input tokens per minute');
    limits.takeOutput('a', MODEL, 1_200);
    expect(admit(1)?.message).toContain('600 output tokens per minute');
    pass(60_000);
    expect(admit(1)).toBeInstanceOf(ApiError);
    pass(1_000);
    expect(admit(1)).toBeNull();
  });

  it('let a prompt above a whole bucket start when the bucket is full', () => {
    const { admit, pass } = createLimits({ inputTokens: 1_000 });
    expect(admit(5_000)).toBeNull();
    pass(239_000);
    expect(admit(1_000)).toBeInstanceOf(ApiError);
    pass(61_000);
    expect(admit(5_000)).toBeNull();
  });

  it('take nothing for a refused request', () => {
    const { admit, headers } = createLimits({ requests: 5, inputTokens: 10_000 });
    admit(8_000);
    admit(8_000);
    expect(headers()).toMatchObject({
      'anthropic-ratelimit-requests-remaining': '4',
      'anthropic-ratelimit-input-tokens-remaining': '2000',
    });
  });

  it('are apart for every key', () => {
    const { admit } = createLimits({ requests: 1 });
    expect(admit(0, 'a')).toBeNull();
    expect(admit(0, 'b')).toBeNull();
    expect(admit(0, 'a')).toBeInstanceOf(ApiError);
  });

  it('are whole again when they are set anew', () => {
    const { limits, admit } = createLimits({ requests: 1 });
    admit();
    limits.set({ [MODEL]: { requests: 1 } });
    expect(admit()).toBeNull();
  });
});

describe('limit headers', () => {
  it('state limit, what remains to the nearest thousand, and when all is back', () => {
    const { limits, admit, headers } = createLimits();
    admit(30_400);
    limits.takeOutput('a', MODEL, 700);
    expect(headers()).toEqual({
      'anthropic-ratelimit-requests-limit': '1000',
      'anthropic-ratelimit-requests-remaining': '999',
      'anthropic-ratelimit-requests-reset': '2026-11-21T00:00:01Z',
      'anthropic-ratelimit-input-tokens-limit': '2000000',
      'anthropic-ratelimit-input-tokens-remaining': '1970000',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-21T00:00:01Z',
      'anthropic-ratelimit-output-tokens-limit': '400000',
      'anthropic-ratelimit-output-tokens-remaining': '399000',
      'anthropic-ratelimit-output-tokens-reset': '2026-11-21T00:00:01Z',
    });
  });

  it('come with a refusal, with the seconds to wait', () => {
    const { admit } = createLimits({ requests: 2 });
    admit();
    admit();
    expect(admit()?.options.headers).toMatchObject({
      'retry-after': '30',
      'anthropic-ratelimit-requests-limit': '2',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-21T00:01:00Z',
    });
  });

  it('ask for a wait of a second at least', () => {
    const { admit } = createLimits({ requests: 6_000, burstMs: 10 });
    admit();
    expect(admit()?.options.headers).toMatchObject({ 'retry-after': '1' });
  });

  it('show the burst, because it is the narrower limit', () => {
    const { headers } = createLimits({ requests: 50, burstMs: 6_000 });
    expect(headers()).toMatchObject({
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '5',
    });
  });

  it('are none for a model without limits', () => {
    expect(createLimits(undefined, 'lenient').headers()).toEqual({});
  });
});
