import type { ModelLimits } from '../model.ts';

const LIMITS = [
  ['requests', 'requests'],
  ['inputTokens', 'input-tokens'],
  ['outputTokens', 'output-tokens'],
] as const;

/**
 * The limits that an answer's headers state; undefined: it states none. One without all of its three headers is left out.
 * https://platform.claude.com/docs/en/api/rate-limits#response-headers
 */
export function readLimits(headers: Headers | undefined): ModelLimits | undefined {
  if (headers === undefined) return undefined;
  const limits: ModelLimits = {};
  for (const [name, header] of LIMITS) {
    const read = (what: string): string => headers.get(`anthropic-ratelimit-${header}-${what}`) ?? '';
    const limit = toCount(read('limit'));
    const remaining = toCount(read('remaining'));
    const resetAt = Date.parse(read('reset'));
    if (limit !== null && remaining !== null && !Number.isNaN(resetAt)) limits[name] = { limit, remaining, resetAt };
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function toCount(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
