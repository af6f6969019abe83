import { describe, expect, it } from 'vitest';
import { namesQuota, readQuota } from '../../../src/models/gemini/quota.ts';

const failureOf = (...violations: object[]) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations,
});
const retryIn = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
const PER_DAY = { quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '20' };
const PER_MINUTE = { quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier', quotaValue: '15' };
const TOKENS = { quotaId: 'GenerateContentInputTokensPerModelPerMinute-FreeTier', quotaValue: '250000' };

describe('the limit a 429 names', () => {
  it.each([
    ['requests a minute', [PER_MINUTE], 'minute', 15],
    ['requests a day', [PER_DAY], 'day', 20],
    ['prompt tokens a minute', [TOKENS], 'tokens', 250_000],
    ['a day before anything else, wherever it stands', [PER_MINUTE, TOKENS, PER_DAY], 'day', 20],
    ['tokens before requests a minute', [PER_MINUTE, TOKENS], 'tokens', 250_000],
    ['the paid tier', [{ quotaId: 'GenerateContentPaidTierInputTokensPerModelPerMinute' }], 'tokens', null],
    [
      'tokens a day, which are no limit of requests',
      [{ ...TOKENS, quotaId: 'InputTokensPerModelPerDay' }],
      'day',
      null,
    ],
    ['a number instead of a text', [{ ...PER_DAY, quotaValue: 7 }], 'day', 7],
    ['a value that is none', [{ ...PER_DAY, quotaValue: 'many' }], 'day', null],
    ['only a metric', [{ quotaMetric: 'generate_content_free_tier_input_token_count' }], 'tokens', null],
  ])('is read: %s', (_what, violations, scope, statedLimit) => {
    expect(readQuota([retryIn('38s'), failureOf(...violations)], '')).toMatchObject({ scope, statedLimit });
  });

  it('is read from the words where the details leave the value out', () => {
    const violations = [PER_DAY, PER_MINUTE].map(({ quotaId }) => ({ quotaId }));
    const message =
      '* Quota exceeded for metric: a, limit: 0, model: m\n* Quota exceeded for metric: a, limit: 0, model: m';
    expect(readQuota([failureOf(...violations)], message)).toMatchObject({ scope: 'day', statedLimit: 0 });
  });

  it('is read from the older form', () => {
    const metadata = { quota_limit: 'GenerateContentRequestsPerMinutePerProjectPerRegion', quota_limit_value: '60' };
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'RATE_LIMIT_EXCEEDED', metadata }];
    expect(readQuota(details, '')).toMatchObject({ scope: 'minute', statedLimit: 60 });
    expect(namesQuota(details)).toBe(true);
  });

  it('is one of requests a minute where nothing is named', () => {
    expect(readQuota([], 'Resource has been exhausted (e.g. check quota).')).toEqual({
      scope: 'minute',
      retryAfterMs: 15_000,
      statedLimit: null,
    });
    expect(namesQuota([null, 'text', { violations: [] }, { violations: 'x' }])).toBe(false);
  });
});

describe('the delay of a 429', () => {
  it.each([
    ['38s', '', 38_000],
    ['38.429760048s', '', 38_430],
    ['36s', 'Please retry in 36.429760048s.', 36_430], // the details round down
    ['', 'Please retry in 547.38ms.', 548],
    ['', 'Please retry in 1h2m3.5s.', 3_600_000], // an hour at most
    ['', 'Please retry in 2m3.5s.', 123_500],
    ['0s', '', 0],
    ['soon', '', 15_000],
  ])('%j and %j are %i ms', (delay, message, expected) => {
    expect(readQuota([retryIn(delay)], message).retryAfterMs).toBe(expected);
  });
});
