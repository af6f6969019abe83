import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUsd, NANO_PER_USD, toExactUsd, toNanoUsd, toUsdString } from '../../../src/pricing/money.ts';

const anyNano = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });

describe('toUsdString', () => {
  it.each([
    [0, 6, '0.000000'],
    [110_000, 6, '0.000110'],
    [1_100_000, 4, '0.0011'],
    [49_999, 4, '0.0000'],
    [50_000, 4, '0.0001'],
    [-50_000, 4, '-0.0001'],
    [-49_999, 4, '0.0000'],
    [999_999_999, 4, '1.0000'],
    [1_500_000_000, 0, '2'],
    [1, 9, '0.000000001'],
    [Number.MAX_SAFE_INTEGER, 9, '9007199.254740991'],
  ])('writes %i nano-dollars with %i decimals as %s', (nano, decimals, expected) => {
    expect(toUsdString(nano, decimals)).toBe(expected);
  });

  it('refuses a fraction of a nano-dollar', () => {
    expect(() => toUsdString(0.5, 4)).toThrow(RangeError);
  });
});

describe('toNanoUsd', () => {
  it.each([
    ['0.0011', 1_100_000],
    [0.0011, 1_100_000],
    [5, 5 * NANO_PER_USD],
    ['.5', 500_000_000],
    ['1.', NANO_PER_USD],
    ['-0.25', -250_000_000],
    ['+1e-9', 1],
    [1e-9, 1],
    ['1.5E3', 1_500 * NANO_PER_USD],
    [0.1 + 0.2, 300_000_000],
    ['0.0011000000000000001', 1_100_000], // as INCRBYFLOAT leaves it
    ['0.0000000004', 0],
    ['0.0000000005', 1],
    ['-0', 0],
  ])('reads %s as %i nano-dollars', (usd, nano) => {
    expect(toNanoUsd(usd)).toBe(nano);
  });

  it.each(['', '.', '-', 'abc', '1,5', '0x10', 'Infinity', 'NaN', '1e40', '99999999999'])('refuses %j', (usd) => {
    expect(() => toNanoUsd(usd)).toThrow(RangeError);
  });

  it('gives back every amount that was written exactly', () => {
    fc.assert(fc.property(anyNano, (nano) => toNanoUsd(toExactUsd(nano)) === nano));
  });
});

it('sums a hundred thousand tasks of $0.0011 to exactly $110', () => {
  let total = 0;
  for (let task = 0; task < 100_000; task += 1) total += toNanoUsd('0.0011');
  expect(toUsdString(total, 9)).toBe('110.000000000');
  expect(formatUsd(total, 4)).toBe('$110.0000');
});

it('shows a negative amount with its sign before the dollar', () => {
  expect(formatUsd(-1_100_000, 4)).toBe('-$0.0011');
});
