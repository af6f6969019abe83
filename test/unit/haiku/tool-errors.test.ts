import type { ToolUseBlock } from '../../../src/models/format.ts';
import { expect, it } from 'vitest';
import { describeToolErrors, ToolErrorCount } from '../../../src/haiku/loop/tool-errors.ts';
import type { ToolOutcome } from '../../../src/haiku/tools/tool.ts';

type Call = [tool: string, content: string, isError?: boolean];

/** The calls of one turn, with what became of them. */
function turn(...calls: Call[]): [ToolUseBlock[], ToolOutcome[]] {
  const uses = calls.map(([name], i) => ({ type: 'tool_use', id: `toolu_${i}`, name, input: {} }));
  const outcomes = calls.map(([, content, isError = true]) => ({ content, isError }));
  return [uses as ToolUseBlock[], outcomes];
}

function count(...turns: [ToolUseBlock[], ToolOutcome[]][]) {
  const errors = new ToolErrorCount();
  for (const one of turns) errors.add(...one);
  return errors.toToolErrors();
}

it('counts failed calls, and keeps the last error of each tool, the newest last', () => {
  expect(
    count(turn(['read', 'first'], ['grep', 'hits', false]), turn(['git', 'nothing to commit'], ['read', 'second'])),
  ).toEqual({
    failed: 3,
    last: [
      { tool: 'git', error: 'nothing to commit' },
      { tool: 'read', error: 'second' },
    ],
  });
});

it('is null where no call failed', () => {
  expect(count()).toBeNull();
  expect(count(turn(['read', 'error: in the file', false]))).toBeNull();
});

it('keeps an error on one line, its beginning and its end', () => {
  const [long] =
    count(turn(['git', `fatal:\n${'x'.repeat(5_000)}\u001b[31m\n[git ended with exit code 128]`]))?.last ?? [];
  expect(long?.error).toMatch(/^fatal: x+ … .*\[git ended with exit code 128\]$/);
  expect(long?.error.length).toBeLessThanOrEqual(300);
  const [pairs] = count(turn(['git', '😀'.repeat(400)]))?.last ?? [];
  expect(pairs?.error.isWellFormed()).toBe(true);
});

it('keeps twenty tools, however many a model makes up', () => {
  const made = Array.from({ length: 30 }, (_, i): Call => [`${'made up '.repeat(20)}${i}`.slice(-70), 'no such tool']);
  const errors = count(turn(...made.map(([name, text], i): Call => [`tool_${i}_${name}`, text])));
  expect(errors?.failed).toBe(30);
  expect(errors?.last.map(({ tool }) => tool.slice(0, 7))).toEqual(
    Array.from({ length: 20 }, (_, i) => `tool_${i + 10}`),
  );
  for (const { tool } of errors?.last ?? []) expect(tool.length).toBeLessThanOrEqual(60);
});

it('tells a person which tools of a turn failed', () => {
  expect(describeToolErrors(...turn(['git', 'nothing to commit'], ['read', 'text', false]))).toBe(
    'git (failed), read; git: nothing to commit',
  );
  expect(describeToolErrors(...turn(['read', 'text', false]))).toBeNull();
});
