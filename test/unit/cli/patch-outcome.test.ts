import { expect, test } from 'vitest';
import { renderOutcome } from '../../../src/cli/output/patches.ts';

const left = {
  findingId: 'finding_1',
  taskId: 'task-1',
  workspace: 'site',
  subject: 'Fix it',
  why: 'HEAD holds other lines where it changes them',
  paths: ['a.txt'],
  commit: null,
} as const;

test('a patch that is left out names a command that works as it stands', () => {
  expect(renderOutcome({ ...left, paths: [...left.paths], outcome: 'conflict' })).toContain(
    'fleet diff finding_1 | git apply --reject',
  );
  expect(renderOutcome({ ...left, paths: [...left.paths], outcome: 'dirty' })).toContain('commit or move it');
});
