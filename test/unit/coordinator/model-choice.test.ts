import { expect, it } from 'vitest';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { toModelOf } from '../../../src/coordinator/plan/model-choice.ts';

const config = { FLEET_HAIKU_MODEL: 'the-small-one', FLEET_SONNET_MODEL: 'the-large-one' };

it('gives every kind of task to the Haiku model of the configuration', () => {
  for (const kind of TASK_KINDS) {
    expect(toModelOf({ kind, model: 'haiku', reason: null }, config)).toBe('the-small-one');
  }
});

it('gives a task to Sonnet only with a stated reason', () => {
  expect(toModelOf({ kind: 'analysis', model: 'sonnet', reason: 'ambiguous requirements' }, config)).toBe(
    'the-large-one',
  );
  expect(toModelOf({ kind: 'analysis', model: 'sonnet', reason: null }, config)).toBe('the-small-one');
});
