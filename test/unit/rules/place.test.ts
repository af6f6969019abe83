import { expect, test } from 'vitest';
import { isAfter, isTrimmed, toMs } from '../../../src/rules/place.ts';

test('ids of a stream are ordered by their numbers', () => {
  expect(isAfter('10-0', '9-5')).toBe(true);
  expect(isAfter('10-10', '10-9')).toBe(true);
  expect(isAfter('10-9', '10-9')).toBe(false);
  expect(isAfter('10-18446744073709551615', '10-18446744073709551614')).toBe(true);
  expect(toMs('1763719200123-4')).toBe(1_763_719_200_123);
});

test.each([
  ['nothing was ever added', { first: null, last: '0-0' }, '5-0', false],
  ['the place is the newest entry, and all were trimmed', { first: null, last: '7-1' }, '7-1', false],
  ['entries came after the place, and all were trimmed', { first: null, last: '7-2' }, '7-1', true],
  ['the place is still in the stream', { first: '7-1', last: '9-0' }, '7-1', false],
  ['the place itself was trimmed', { first: '7-2', last: '9-0' }, '7-1', true],
])('whether events may be lost: %s', (_, bounds, place, lost) => {
  expect(isTrimmed(bounds, place)).toBe(lost);
});
