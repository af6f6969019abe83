import { UsageError } from '../../errors.ts';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses `--since`: a date, an ISO instant, or a time that has passed since: `90m`, `12h`, `7d`.
 * @param now ms since 1970
 * @returns ms since 1970
 * @throws UsageError for anything else
 */
export function toSince(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const sinceMs = count === undefined ? Date.parse(text) : now - Number(count) * (UNITS[unit] ?? 0);
  if (!Number.isNaN(sinceMs) && Math.abs(sinceMs) < 8.64e15) return sinceMs;
  throw new UsageError(`--since: expected a date, an ISO instant, or 90m, 12h, 7d, got ${JSON.stringify(text)}`);
}
