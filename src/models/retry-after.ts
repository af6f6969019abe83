/** Longest wait; a longer limit causes another 429. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * The wait that a 429 names, 0..3,600,000 ms: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date. 0: it names
 * none that can be used, such as `0` or an instant that is over.
 * @param now ms since 1970, where the answer has no `date`: a date counts from the provider's own clock
 */
export function toRetryAfterMs(headers: Headers | undefined, now: number): number {
  const answeredAt = Date.parse(headers?.get('date') ?? '');
  const sentAt = Number.isNaN(answeredAt) ? now : answeredAt;
  const asked = parse(headers?.get('retry-after-ms'), headers?.get('retry-after'), sentAt);
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.ceil(asked)));
}

function parse(millis: string | null | undefined, seconds: string | null | undefined, now: number): number {
  const inMs = toNumber(millis) ?? 0;
  if (inMs > 0) return inMs;
  const inSeconds = toNumber(seconds);
  if (inSeconds !== undefined) return inSeconds * 1_000;
  const retryAt = seconds?.includes('GMT') ? Date.parse(seconds) : NaN; // else `-5` would be a date in 2001
  return Number.isNaN(retryAt) ? 0 : retryAt - now;
}

function toNumber(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return undefined;
  return Number(text);
}
