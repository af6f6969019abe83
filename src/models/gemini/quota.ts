import { z } from 'zod';
import type { QuotaInfo } from '../../errors.ts';

const MAX_RETRY_MS = 3_600_000;
/** Wait after a 429 without a delay: a fraction of the minute in which the limits are counted. */
const DEFAULT_RETRY_MS = 15_000;

const violationSchema = z.looseObject({
  quotaId: z.string().default(''),
  quotaMetric: z.string().default(''),
  quotaValue: z.coerce.string().optional(),
});
const quotaFailureSchema = z.looseObject({ violations: z.array(violationSchema).min(1) });
const retryInfoSchema = z.looseObject({ retryDelay: z.string() });
/** An older form of QuotaFailure. */
const errorInfoSchema = z.looseObject({
  metadata: z.looseObject({ quota_limit: z.string(), quota_limit_value: z.string().optional() }),
});

interface Violation {
  id: string;
  value: number | null;
}

/**
 * Reads a 429: the limit by its quotaId, and the delay. `PerDay` takes precedence over any other limit and over any delay.
 * @param details `error.details` of the body
 * @param message `error.message`, which repeats limits and delay as text
 */
export function readQuota(details: readonly unknown[], message: string): QuotaInfo {
  const violations = findViolations(details, message);
  const isDay = ({ id }: Violation): boolean => /PerDay/i.test(id);
  const isTokens = ({ id }: Violation): boolean => /Token/i.test(id);
  const day = violations.filter(isDay).toSorted((a, b) => Number(isTokens(a)) - Number(isTokens(b)))[0];
  const named = day ?? violations.find(isTokens) ?? violations[0];
  const scope = day !== undefined ? 'day' : named !== undefined && isTokens(named) ? 'tokens' : 'minute';
  // A day's limit of tokens is no limit of requests, unless it is 0.
  const comparable = named !== undefined && (scope === 'day' ? !isTokens(named) || named.value === 0 : true);
  return { scope, retryAfterMs: readDelay(details, message), statedLimit: comparable ? named.value : null };
}

/** Whether the body names a limit. A body without one may be about the account. */
export function namesQuota(details: readonly unknown[]): boolean {
  return findViolations(details, '').length > 0;
}

function findViolations(details: readonly unknown[], message: string): Violation[] {
  const inWords = [...message.matchAll(/limit: (\d+)/g)].map(([, limit]) => Number(limit));
  const listed = details.flatMap((detail) => quotaFailureSchema.safeParse(detail).data?.violations ?? []);
  if (listed.length > 0) {
    return listed.map(({ quotaId, quotaMetric, quotaValue }, i) => ({
      id: `${quotaId} ${quotaMetric}`,
      value: toLimit(quotaValue) ?? (inWords.length === listed.length ? (inWords[i] ?? null) : null),
    }));
  }
  return details.flatMap((detail) => {
    const metadata = errorInfoSchema.safeParse(detail).data?.metadata;
    return metadata === undefined ? [] : [{ id: metadata.quota_limit, value: toLimit(metadata.quota_limit_value) }];
  });
}

/** The longer of the delays in the details and in the message: the former is rounded down. */
function readDelay(details: readonly unknown[], message: string): number {
  const listed = details.map((detail) => toMs(retryInfoSchema.safeParse(detail).data?.retryDelay ?? ''));
  const fromMessage = toMs(/retry in ([\d.hms ]+)/i.exec(message)?.[1] ?? '');
  const delays = [...listed, fromMessage].filter((ms) => ms !== null);
  if (delays.length === 0) return DEFAULT_RETRY_MS;
  return Math.min(MAX_RETRY_MS, Math.ceil(Math.max(...delays)));
}

const UNIT_MS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `38s`, `38.4s`, `1m2.5s`, `547.3ms`; null for anything else. */
function toMs(text: string): number | null {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|h|m|s)/g)];
  if (parts.length === 0) return null;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

function toLimit(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
