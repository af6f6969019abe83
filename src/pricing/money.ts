/** Nano-dollars in one US dollar. Inside the fleet, money is a whole number of nano-dollars; decimals are for input and output. */
export const NANO_PER_USD = 1_000_000_000;

const NANO_DIGITS = 9;

/**
 * Dollars as a decimal string, rounded half away from zero, by integer arithmetic alone.
 * @param nano nano-dollars, a safe integer, may be negative
 * @param decimals digits after the point, 0..9
 */
export function toUsdString(nano: number, decimals: number): string {
  assertNano(nano);
  const step = 10 ** (NANO_DIGITS - decimals);
  const whole = Math.abs(nano);
  const units = Math.floor(whole / step) + (whole % step >= step / 2 && step > 1 ? 1 : 0);
  const digits = String(units).padStart(decimals + 1, '0');
  const sign = nano < 0 && units > 0 ? '-' : '';
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Dollars with all nine decimals, without loss: for `INCRBYFLOAT`. */
export function toExactUsd(nano: number): string {
  return toUsdString(nano, NANO_DIGITS);
}

/** Dollars as a decimal string with six decimals, for `…Usd` beside `…NanoUsd`. Null stays null: there is no such amount. */
export function toUsd<Nano extends number | null>(nano: Nano): Nano extends number ? string : null {
  return (nano === null ? null : toUsdString(nano, 6)) as Nano extends number ? string : null;
}

/** For people: `$0.0011`. Six decimals for one task, four for totals. */
export function formatUsd(nano: number, decimals: 4 | 6): string {
  return nano < 0 ? `-$${toUsdString(-nano, decimals)}` : `$${toUsdString(nano, decimals)}`;
}

/**
 * Nano-dollars of a decimal number of dollars. Exact up to nine decimals; further digits, such as those of Redis'
 * `INCRBYFLOAT`, are rounded half away from zero.
 * @param usd a finite number, or a decimal string with an optional exponent
 * @throws RangeError when it is no decimal number or does not fit a safe integer of nano-dollars
 */
export function toNanoUsd(usd: number | string): number {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(String(usd).trim());
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (match === null || whole + fraction === '') throw new RangeError(`expected decimal dollars, got ${String(usd)}`);
  const point = whole.length + Number(exponent) + NANO_DIGITS;
  if (point < 0) return 0;
  const digits = whole + fraction;
  if (point > 40) throw new RangeError(`dollars out of range: ${String(usd)}`);
  const kept = digits.slice(0, point).padEnd(point, '0');
  const roundUp = (digits[point] ?? '0') >= '5' ? 1 : 0;
  const nano = Number(kept) + roundUp;
  if (!Number.isSafeInteger(nano)) throw new RangeError(`dollars out of range: ${String(usd)}`);
  return sign === '-' && nano !== 0 ? -nano : nano;
}

function assertNano(nano: number): void {
  if (!Number.isSafeInteger(nano)) throw new RangeError(`expected a whole number of nano-dollars, got ${nano}`);
}
