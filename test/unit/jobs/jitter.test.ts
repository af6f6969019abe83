import { expect, test } from 'vitest';
import { withJitter } from '../../../src/jobs/outcomes/backoff.ts';

test.each([
  [300, 360],
  [5_000, 6_000],
  [60_000, 72_000],
  [600_000, 630_000],
  [37_629_000, 37_659_000],
])('a wait of %i ms ends between its time and %i ms', (ms, latest) => {
  expect(withJitter(ms, () => 0)).toBe(ms);
  expect(withJitter(ms, () => 1)).toBe(latest);
});
