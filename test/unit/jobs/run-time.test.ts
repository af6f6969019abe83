import { expect, it } from 'vitest';
import { toRunMs } from '../../../src/jobs/worker/active-run.ts';

it('gives a run the time of its queue, or of two of the longest calls', () => {
  expect(toRunMs(3_600_000, 900_000)).toBe(3_600_000);
  expect(toRunMs(900_000, 900_000)).toBe(1_800_000);
  expect(toRunMs(3_600_000, 3_600_000)).toBe(7_200_000);
});
