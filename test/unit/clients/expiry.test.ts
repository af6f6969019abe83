import { expect, it } from 'vitest';
import { parseExpiry } from '../../../src/clients/expiry.ts';

it.each([
  ['30m', 1_800_000],
  ['12h', 43_200_000],
  ['7d', 604_800_000],
  ['4w', 2_419_200_000],
])('%s is a time', (text, ms) => {
  expect(parseExpiry(text)).toBe(ms);
});

it.each([
  ['7', /expected a unit: 7d is so many days/],
  ['-1d', /expected a time to come/],
  ['1y', /365d is as long/],
  ['0d', /more than no time/],
  ['99999d', /at most 3650d/],
  ['soon', /a whole number and m, h, d or w, such as 7d, got "soon"/],
  ['7 fortnights', /expected m, h, d or w after the number/],
  ['', /a whole number/],
])('%j is none', (text, rule) => {
  expect(() => parseExpiry(text)).toThrow(rule);
});
