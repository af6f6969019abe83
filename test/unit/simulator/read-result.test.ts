import { describe, expect, test } from 'vitest';
import { readFiles } from '../../../simulator/model/task/reading.ts';
import { parseReadResult } from '../../../simulator/model/task/read-result.ts';
import type { Step } from '../../../simulator/model/task/steps.ts';
import type { TaskView } from '../../../simulator/model/task/types.ts';

const FIRST = '     1\tone\n     2\ttwo\n[lines 1–2 of 5; go on with view_range [3, -1]]';
const CUT = '     3\tth\n[line 3 of 5: characters 1–2 of 5; go on with view_range [3, -1] and from_character 3]';
const REST =
  '     3\tree\n     4\t\n     5\tfive\n[lines 3–5 of 5, line 3 from character 3]\n[no line end after the last line]';

const read = (content: string, input: object = {}, isLost = false): Step => ({
  name: 'read',
  input: { file_path: 'a.ts', ...input },
  content,
  isError: false,
  isLost,
});
const look = (...steps: Step[]) => readFiles({ steps, tools: new Set(['read']) } as unknown as TaskView, ['a.ts']);

describe('the simulated model reads', () => {
  test('a whole file', () => {
    expect(look(read('     1\ta\tb\n     2\t[x]')).files).toMatchObject([
      { text: 'a\tb\n[x]\n', lines: 2, isComplete: true, isWhole: true },
    ]);
    expect(look(read('[the file is empty]')).files).toMatchObject([{ text: '', lines: 0, isComplete: true }]);
  });

  test('the parts of a large file, one after the other, as the results tell', () => {
    const next = { view_range: [3, -1] };
    const last = { ...next, from_character: 3 };
    expect(look().calls).toEqual([{ name: 'read', input: { file_path: 'a.ts' } }]);
    expect(look(read(FIRST)).calls).toEqual([{ name: 'read', input: { file_path: 'a.ts', ...next } }]);
    expect(look(read(FIRST), read(CUT, next)).calls).toEqual([{ name: 'read', input: { file_path: 'a.ts', ...last } }]);
    expect(look(read(FIRST), read(CUT, next), read(REST, last)).files).toMatchObject([
      { text: 'one\ntwo\nthree\n\nfive', lines: 5, isComplete: true, isWhole: true },
    ]);
  });

  test('on behind a part that was dropped from the prompt', () => {
    const steps = [read('[dropped]', {}, true), read('     3\tthree\n[line 3 of 3]', { view_range: [3, -1] })];
    expect(look(...steps).files).toMatchObject([{ text: 'three\n', lines: 3, isComplete: true, isWhole: false }]);
  });

  test('results of the version before, which have no line numbers', () => {
    expect(parseReadResult('one\ntwo\n')).toBeNull();
    expect(look(read('one\n2\ttwo\n')).files).toMatchObject([{ text: 'one\n2\ttwo\n', lines: 2, isComplete: true }]);
  });
});
