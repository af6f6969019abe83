import { expect, test } from 'vitest';
import { toNextStep } from '../../../src/timeline/next-step.ts';

const job = { id: 'mission-a', queue: 'missions', failure: null } as const;
const waitsFor = 'mission, which a person set aside; fleet resume mission-a lets it go on';

test('a mission that was set aside is resumed, and so is the mission of such a task', () => {
  const blocker = { kind: 'parked', waitsFor } as const;
  const command = 'fleet resume mission-a';
  expect(toNextStep({ ...job, blocker })).toEqual({ why: 'a person set it aside', command });
  const task = { ...job, id: 'mission-a-1', queue: 'tasks' } as const;
  expect(toNextStep({ ...task, blocker })).toEqual({ why: 'a person set its mission aside', command });
});

test('a halt tells its detail', () => {
  const halt = { reason: 'person', detail: 'prices\nlook wrong', step: '', by: 'ada', at: '' };
  expect(toNextStep({ ...job, blocker: { kind: 'halted', halt } })).toEqual({
    why: 'the fleet is halted: person (prices look wrong)',
    command: 'fleet resume',
  });
});
