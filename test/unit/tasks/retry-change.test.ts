import { expect, it } from 'vitest';
import { toRetryChange } from '../../../src/tasks/repair/note-retries.ts';

// The job is retried when its entry is written: what another program stored in it must not end the command.
it.each([
  [0.5, '$0.5000'],
  [0.001, '$0.001000'],
  [-1, '-$1.000000'],
  [10_000_000, 10_000_000],
  [1e300, 1e300],
  ['much', 'much'],
  [null, null],
])('the entry of a retry has a budget of %j before it as %j', (usd, shown) => {
  const changes = { before: { budget_usd: usd }, after: { budget_usd: 0.25 } };
  const change = toRetryChange([{ id: 'a', state: 'failed', reason: 'invalid-job', changes }]);
  expect(change).toMatchObject({ before: { budget: shown }, after: { budget: '$0.2500' } });
});
