import { QueueKeys } from 'bullmq';
import { expect, it } from 'vitest';
import {
  findBatchNameProblem,
  findFindingIdProblem,
  findJobIdProblem,
  findQueryIdProblem,
  toTaskId,
} from '../../../queues/ids.ts';

const CHARACTERS = 'expected letters, digits, dot, underscore or dash';

it.each([
  ['task-1', null],
  ['a.b_C-9', null],
  ['x'.repeat(200), null],
  ['12', `${CHARACTERS}, and not only digits, got "12"`],
  ['a:b', `${CHARACTERS}, and not only digits, got "a:b"`],
  ['', `${CHARACTERS}, and not only digits, got ""`],
  ['archive_q1', '"archive_q1": archive_… is kept for questions to the archive'],
])('a job id: %j', (id, problem) => {
  expect(findJobIdProblem(id)).toBe(problem);
});

it.each([
  ['12', null], // its job id begins with the prefix
  ['a b', `${CHARACTERS}, got "a b"`],
  ['x'.repeat(201), `${CHARACTERS}, got "${'x'.repeat(201)}"`],
])('a query id: %j', (id, problem) => {
  expect(findQueryIdProblem(id)).toBe(problem);
});

it('a finding id', () => {
  expect(findFindingIdProblem('report')).toBeNull();
  expect(findFindingIdProblem('archive_x')).toBe('"archive_x": archive_… is kept for the archive\'s answers');
});

it.each([
  ['nightly-2.1', null],
  ['x'.repeat(100), null],
  ['-nightly', `${CHARACTERS}, got "-nightly"`],
  ['x'.repeat(101), `${CHARACTERS}, got "${'x'.repeat(101)}"`],
])('a batch name: %j', (name, problem) => {
  expect(findBatchNameProblem(name)).toBe(problem);
});

it('a numbered task has a job id that its batch’s name always allows', () => {
  expect(findJobIdProblem(toTaskId('x'.repeat(100), 1_000_000))).toBeNull();
  expect(toTaskId('mission-a', 3)).toBe('mission-a-3');
});

it('no job has the name of a part of its queue, of which BullMQ has these', () => {
  for (const part of Object.keys(new QueueKeys().getKeys('tasks')).filter((name) => name !== '')) {
    expect(findJobIdProblem(part), part).toContain('the queue itself has a part of this name');
  }
});
