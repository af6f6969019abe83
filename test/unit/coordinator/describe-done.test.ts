import { expect, it } from 'vitest';
import { describeDone } from '../../../src/coordinator/mission/describe-done.ts';

it.each([
  [{ done: 12, partial: 0, toolErrors: 0 }, '12 of 14'],
  [{ done: 12, partial: 2, toolErrors: 0 }, '12 of 14, 2 of them partial'],
  [{ done: 12, partial: 2, toolErrors: 3 }, '12 of 14, 2 of them partial, 3 with tool errors'],
])('%j is told as %s', (counts, text) => {
  expect(describeDone(counts, '14')).toBe(text);
});
