import { expect, it } from 'vitest';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { chooseModel } from '../../../src/coordinator/plan/model-choice.ts';

const config = { FLEET_SONNET_MODEL: 'the-large-one' };

it('names no model for a task of any kind that is for Haiku, so that the routes choose', () => {
  for (const kind of TASK_KINDS) {
    const node = { kind, model: 'haiku', reason: null } as const;
    expect(chooseModel(node, config)).toEqual({});
  }
});

it('gives a task to Sonnet only with a stated reason', () => {
  const node = { kind: 'analysis', model: 'sonnet' } as const;
  expect(chooseModel({ ...node, reason: 'ambiguous requirements' }, config)).toEqual({ model: 'the-large-one' });
  expect(chooseModel({ ...node, reason: null }, config)).toEqual({});
});

it('names the row that the plan names', () => {
  expect(chooseModel({ model: 'qwen3-local', reason: null }, config)).toEqual({ model: 'qwen3-local' });
});
