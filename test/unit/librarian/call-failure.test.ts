import { describe, expect, test } from 'vitest';
import {
  AccountRefusedError,
  HaltError,
  PromptTooLongError,
  ProviderUnavailableError,
  QuotaError,
  RateLimitedError,
  TaskFailedError,
  type QuotaInfo,
} from '../../../src/errors.ts';
import { classifyFailure } from '../../../src/librarian/answer/call-failure.ts';

const TOKENS = 10_000;
const classify = (error: unknown) => classifyFailure(error, { shard: 3, tokens: TOKENS });
const quota = (info: Partial<QuotaInfo>) =>
  new QuotaError('gemini', { scope: 'minute', retryAfterMs: 5_000, statedLimit: null, ...info }, '429');

describe('a failed call', () => {
  test.each([
    ['a used-up minute', quota({}), { kind: 'next' }],
    ['a used-up day', quota({ scope: 'day', statedLimit: 1_500 }), { kind: 'next' }],
    ['a model that the project may not use', quota({ statedLimit: 0 }), { kind: 'exclude', refusal: null }],
    ['a refused size', quota({ scope: 'tokens' }), { kind: 'shrink', maxTokens: 5_000 }],
    ['a stated size', quota({ scope: 'tokens', statedLimit: 8_000 }), { kind: 'shrink', maxTokens: 7_200 }],
    ['a stated size above ours', quota({ scope: 'tokens', statedLimit: 90_000 }), { kind: 'shrink', maxTokens: 9_000 }],
  ])('by %s counts no tokens and is a 429 for the gate', (_, error, next) => {
    expect(classify(error)).toMatchObject({
      countedTokens: 0,
      report: { kind: 'quota', quota: error.quota },
      logLine: 'shard 3: 429; on to the next',
      next,
    });
  });

  test.each([
    ['a prompt above the stated window', new PromptTooLongError(12_000, 8_000, '400'), 7_200],
    ['a prompt or body that is too large', new TaskFailedError('too-long', '400'), 5_000],
  ])('by %s counts no tokens, is not the shard’s, and goes on with less', (_, error, maxTokens) => {
    expect(classify(error)).toEqual({
      message: '400',
      countedTokens: 0,
      report: null,
      logLine: '400',
      next: { kind: 'shrink', maxTokens },
    });
  });

  test('by a 429 without a quota is a used-up minute', () => {
    expect(classify(new RateLimitedError('gemini', 7_000, '429'))).toMatchObject({
      report: { quota: { scope: 'minute', retryAfterMs: 7_000, statedLimit: null } },
      next: { kind: 'next' },
    });
  });

  test('by a refused key leaves the shard out', () => {
    const error = new AccountRefusedError('API key not valid');
    expect(classify(error)).toMatchObject({
      countedTokens: 0,
      report: { failure: { kind: 'refused', message: 'API key not valid' } },
      logLine: 'shard 3 is refused: API key not valid',
      next: { kind: 'exclude', refusal: error },
    });
  });

  test('by an outage counts its tokens, because it may have been served', () => {
    const error = new ProviderUnavailableError('gemini', true, 'HTTP 503');
    expect(classify(error)).toMatchObject({
      countedTokens: TOKENS,
      report: { failure: { kind: 'unavailable', message: 'HTTP 503' } },
      logLine: 'shard 3 does not answer: HTTP 503',
      next: { kind: 'outage', error },
    });
  });

  test('by a reply that cannot be read closes the shard for a moment and ends the query', () => {
    const error = new TaskFailedError('malformed', '200 and a page');
    const failure = { kind: 'malformed', message: expect.stringContaining('200 and a page') };
    expect(classify(error)).toMatchObject({
      countedTokens: TOKENS,
      report: { failure },
      next: { kind: 'malformed', error },
    });
  });

  test.each([new TaskFailedError('refusal', 'blocked'), new HaltError('halted'), new Error('a bug')])(
    'by %s is no fault of the shard',
    (error) => {
      expect(classify(error)).toMatchObject({ report: null, logLine: null, next: { kind: 'throw', error } });
    },
  );
});
