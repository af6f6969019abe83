import { expect, it } from 'vitest';
import { toRest } from '../../../src/cli/commands/run/resume.ts';
import type { StatusSnapshot } from '../../../src/status/types.ts';

const stand = {
  queues: [{ name: 'tasks', paused: true }],
  budget: { limitNanoUsd: null },
} as unknown as StatusSnapshot;

it('says of a pause after a resume whose it is', () => {
  expect(toRest({ ...stand, halt: null })).toEqual(['⚠️  Paused by a person and left so: tasks']);
  const halt = { reason: 'budget', step: '', at: '', by: '', detail: 'used up' };
  expect(toRest({ ...stand, halt })).toEqual(['⛔ Halted again: budget: used up; fleet status shows the ways out']);
});
