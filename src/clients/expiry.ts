import { UsageError } from '../errors.ts';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
const LONGEST_DAYS = 3_650;

/**
 * Parses how long a token works: a whole number and a unit, `30m`, `12h`, `7d`, `4w`.
 * @returns ms
 * @throws UsageError
 */
export function parseExpiry(text: string): number {
  const given = `got ${JSON.stringify(text)}`;
  const [, sign = '', digits = '', unit = ''] = /^([+-]?)(\d+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  if (digits === '') throw new UsageError(`expires: expected a whole number and m, h, d or w, such as 7d, ${given}`);
  if (sign === '-') throw new UsageError(`expires: expected a time to come, such as 7d, ${given}`);
  if (unit === '') throw new UsageError(`expires: expected a unit: ${digits}d is so many days, ${given}`);
  if (/^y(ears?)?$/i.test(unit))
    throw new UsageError(`expires: a year is no unit: ${365 * Number(digits)}d is as long, ${given}`);
  if (!isUnit(unit)) throw new UsageError(`expires: expected m, h, d or w after the number, such as 7d, ${given}`);
  const ms = Number(digits) * UNIT_MS[unit];
  if (ms === 0) throw new UsageError(`expires: expected more than no time, ${given}`);
  if (ms > LONGEST_DAYS * UNIT_MS.d)
    throw new UsageError(
      `expires: expected at most ${LONGEST_DAYS}d; a token that never expires has no --expires, ${given}`,
    );
  return ms;
}

function isUnit(unit: string): unit is keyof typeof UNIT_MS {
  return Object.hasOwn(UNIT_MS, unit);
}
