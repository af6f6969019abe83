import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isMultipleOf } from '../../../../src/tasks/schema/multiple-of.ts';
import { check } from '../../../../src/tasks/schema/schema-work.ts';

it('takes every amount in cents as a multiple of 0.01, and no other', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      fc.integer({ min: 1, max: 9 }),
      (cents, mills) => {
        expect(isMultipleOf(cents / 100, 0.01)).toBe(true);
        expect(isMultipleOf(Number(`${Math.trunc(cents / 100)}.00${mills}`), 0.01)).toBe(false);
      },
    ),
  );
});

it('takes every product of a whole number and a decimal step as a multiple of the step', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999 }), fc.nat(10_000), fc.nat(6), (digits, times, places) => {
      const step = Number(`${digits}e-${places}`);
      expect(isMultipleOf(Number(`${digits * times}e-${places}`), step)).toBe(true);
    }),
  );
});

it.each([
  [19.99, 0.01, true],
  [0.3, 0.1, true],
  [4.35, 0.01, true],
  [1e-7, 1e-8, true],
  [1e300, 1e-300, true],
  [1e21, 7, false],
  [9_007_199_254_740_991, 2, false],
  [0, 0.5, true],
  [-7.5, 2.5, true],
  [19.995, 0.01, false],
  [Infinity, 1, false],
])('answers for %d and %d: %s', (value, step, answer) => expect(isMultipleOf(value, step)).toBe(answer));

it('is what a schema means by multipleOf', () => {
  const schema = JSON.stringify({ type: 'number', multipleOf: 0.01 });
  expect(check({ schema, answer: '19.99' })).toEqual({ json: '19.99' });
  expect(check({ schema, answer: '19.995' })).toEqual({ problem: 'the result must be a multiple of 0.01' });
});
