import { expect, it } from 'vitest';
import { ONCE_PER_CHOICES } from '../../../src/cli/commands/when.ts';
import { ONCE_PER } from '../../../src/rules/types.ts';

it('offers each choice of how often a rule may fire', () => {
  expect(ONCE_PER_CHOICES).toEqual([...ONCE_PER]);
});
