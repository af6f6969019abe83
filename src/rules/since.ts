import { UsageError } from '../errors.ts';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/**
 * Parses since when: how long ago (`30m`, `12h`, `7d`, `4w`), or an instant (ISO 8601).
 * @returns ms since 1970
 * @throws UsageError
 */
export function parseSince(text: string, now: number): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})\s*([mhdw])$/.exec(text.trim()) ?? [];
  if (digits !== '') return Math.max(0, now - Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  const instant = /^\d{4}-\d{2}-\d{2}/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new UsageError(
      `since: expected how long ago, such as 12h or 7d, or an instant such as 2026-11-21T10:00:00Z, got ${JSON.stringify(text)}`,
    );
  }
  if (instant > now) throw new UsageError(`since: expected an instant that is past, got ${JSON.stringify(text)}`);
  return Math.max(0, instant);
}
