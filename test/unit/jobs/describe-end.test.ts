import { expect, it } from 'vitest';
import { JobFailedError } from '../../../src/errors.ts';

it.each([
  ['schema: the result has no n', 'job a failed: schema: the result has no n'],
  ['cancelled: cancelled by a person', 'job a was cancelled by a person'],
  ['cancelled: cancelled before its next call', 'job a was cancelled before its next call'],
  ['cancelled', 'job a was cancelled'],
  ['parked: budget; a higher one releases it', 'job a is parked: budget; a higher one releases it'],
])('the end %j is worded by what it is', (reason, message) => {
  expect(new JobFailedError('a', reason).message).toBe(message);
});
