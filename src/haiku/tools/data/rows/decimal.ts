import { ExactNumber } from '../../../../text/json-values.ts';

/** A decimal number of any size: `sign` × 0.`digits` × 10^`exponent`. `digits` has no zero at either end. */
export interface Decimal {
  sign: -1 | 0 | 1;
  digits: string;
  exponent: number;
}

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/;

/**
 * Reads a number of JSON, or a text that is a decimal number (`7`, `007`, ` 1.50`, `7e0`), exactly. Null: it is neither; `0x7`,
 * `1,000` and `Infinity` are text.
 */
export function toDecimal(value: unknown): Decimal | null {
  const text = value instanceof ExactNumber || typeof value === 'number' ? String(value) : value;
  const parts = typeof text === 'string' ? DECIMAL.exec(text.trim()) : null;
  if (parts === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const all = whole + fraction;
  if (all === '') return null;
  let from = 0;
  while (all[from] === '0') from += 1;
  if (from === all.length) return { sign: 0, digits: '', exponent: 0 };
  let end = all.length;
  while (all[end - 1] === '0') end -= 1;
  return {
    sign: sign === '-' ? -1 : 1,
    digits: all.slice(from, end),
    exponent: Number(exponent) + whole.length - from,
  };
}

/** @returns below 0, 0 or above 0, as `a` is less than, equal to or greater than `b` */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  if (a.exponent !== b.exponent) return a.sign * (a.exponent - b.exponent);
  return a.sign * compareText(a.digits, b.digits);
}

/** Orders by UTF-16 code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
