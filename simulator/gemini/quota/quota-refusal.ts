import { GoogleError } from '../api/google-error.ts';

/** One limit that a request would exceed. */
export interface Violation {
  kind: 'minute' | 'day' | 'tokens';
  /** Null: the refusal leaves the value out, as the provider does for a limit of 0. */
  limit: number | null;
}

const HELP = 'https://ai.google.dev/gemini-api/docs/rate-limits';

/**
 * The provider's 429, as recorded on the free tier in 2025 and 2026: details Help, QuotaFailure and RetryInfo, and the same
 * content as text in the message. The quota ids of the paid tier have no suffix.
 * @param retryMs delay that the refusal names; for a day's limit it is as short, and wrong
 */
export function toQuotaRefusal(
  violations: readonly Violation[],
  { model, tier, retryMs }: { model: string; tier: 'free' | 'paid'; retryMs: number },
): GoogleError {
  const seconds = retryMs / 1_000;
  const lines = violations.map(
    ({ kind, limit }) => `* Quota exceeded for metric: ${toMetric(kind, tier)}, limit: ${limit ?? 0}, model: ${model}`,
  );
  const message = [
    `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: ${HELP}. To monitor your current usage, head to: https://ai.dev/rate-limit. `,
    ...lines,
    `Please retry in ${seconds}s.`,
  ].join('\n');
  return new GoogleError(429, message, [
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [{ description: 'Learn more about Gemini API quotas', url: HELP }],
    },
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: violations.map(({ kind, limit }) => ({
        quotaMetric: toMetric(kind, tier),
        quotaId: toQuotaId(kind, tier),
        quotaDimensions: { location: 'global', model },
        ...(limit === null ? {} : { quotaValue: String(limit) }),
      })),
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: toDelay(seconds) },
  ]);
}

/** Whole seconds if there is at least one, as the provider sends them. The message has the fraction. */
function toDelay(seconds: number): string {
  return seconds >= 1 ? `${Math.floor(seconds)}s` : `${seconds.toFixed(3)}s`;
}

function toMetric(kind: Violation['kind'], tier: 'free' | 'paid'): string {
  const what = kind === 'tokens' ? 'input_token_count' : 'requests';
  return `generativelanguage.googleapis.com/generate_content_${tier}_tier_${what}`;
}

function toQuotaId(kind: Violation['kind'], tier: 'free' | 'paid'): string {
  const suffix = tier === 'free' ? '-FreeTier' : '';
  if (kind === 'day') return `GenerateRequestsPerDayPerProjectPerModel${suffix}`;
  if (kind === 'minute') return `GenerateRequestsPerMinutePerProjectPerModel${suffix}`;
  return tier === 'free'
    ? 'GenerateContentInputTokensPerModelPerMinute-FreeTier'
    : 'GenerateContentPaidTierInputTokensPerModelPerMinute';
}
