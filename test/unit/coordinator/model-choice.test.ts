import { expect, it } from 'vitest';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { chooseModel } from '../../../src/coordinator/plan/model-choice.ts';

const config = { FLEET_HAIKU_MODEL: 'the-small-one', FLEET_SONNET_MODEL: 'the-large-one' };

it('gives every kind of task to the Haiku model of the configuration', () => {
  for (const kind of TASK_KINDS) {
    const node = { kind, model: 'haiku', reason: null } as const;
    expect(chooseModel(node, config)).toBe('the-small-one');
  }
});

it('gives a task to Sonnet only with a stated reason', () => {
  const node = { kind: 'analysis', model: 'sonnet' } as const;
  expect(chooseModel({ ...node, reason: 'ambiguous requirements' }, config)).toBe('the-large-one');
  expect(chooseModel({ ...node, reason: null }, config)).toBe('the-small-one');
});
