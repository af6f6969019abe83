/** Wait after a 429 without a delay: a fraction of the minute in which providers count their limits. */
const DEFAULT_RETRY_AFTER_MS = 15_000;
/** Longest wait; a longer limit causes another 429. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * The wait that a 429 demands, 0..3,600,000 ms: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date, else
 * 15 s.
 * @param now ms since 1970
 */
export function toRetryAfterMs(headers: Headers | undefined, now: number): number {
  const asked = parse(headers?.get('retry-after-ms'), headers?.get('retry-after'), now);
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.ceil(asked ?? DEFAULT_RETRY_AFTER_MS)));
}

function parse(millis: string | null | undefined, seconds: string | null | undefined, now: number): number | undefined {
  const inMs = toNumber(millis);
  if (inMs !== undefined) return inMs;
  const inSeconds = toNumber(seconds);
  if (inSeconds !== undefined) return inSeconds * 1_000;
  const retryAt = seconds?.includes('GMT') ? Date.parse(seconds) : NaN; // else `-5` would be a date in 2001
  return Number.isNaN(retryAt) ? undefined : retryAt - now;
}

function toNumber(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return undefined;
  return Number(text);
}
