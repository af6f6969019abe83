import { expect, it } from 'vitest';
import { renderResult, toMissionAnswer } from '../../../src/cli/output/finding/result.ts';
import { parseExact } from '../../../src/text/exact-json.ts';

it('prints a text as it is, and what is structured in lines', () => {
  expect(renderResult('One line.\n\nAnother: "quoted".')).toBe('One line.\n\nAnother: "quoted".');
  const result = {
    name: 'tea',
    notes: 'first\nsecond',
    tags: ['a', 'b'],
    files: [{ path: 'a.ts', lines: 3 }],
    none: [],
  };
  expect(renderResult(result)).toBe(
    [
      'name: tea',
      'notes:',
      '  first',
      '  second',
      'tags:',
      '  - a',
      '  - b',
      'files:',
      '  - path: a.ts',
      '    lines: 3',
      'none: []',
    ].join('\n'),
  );
});

it('keeps numbers exact, and shows what is deep as JSON', () => {
  expect(renderResult(parseExact('{"id":9007199254740993}'))).toBe('id: 9007199254740993');
  const deep = JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) as unknown;
  expect(renderResult(deep).split('\n').at(-1)).toBe(`${' '.repeat(10)}a: {"a":{"a":{"a":1}}}`);
  expect(renderResult(JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`))).toContain('too deeply');
});

it('knows the answer of a mission from a result that has an answer', () => {
  expect(toMissionAnswer({ answer: 'Tea.', counts: {}, cost: {} })).toBe('Tea.');
  expect(toMissionAnswer({ answer: 'Tea.' })).toBeNull();
  expect(toMissionAnswer('Tea.')).toBeNull();
});
