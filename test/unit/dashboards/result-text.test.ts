import { beforeAll, describe, expect, it } from 'vitest';
import { toResultText } from '../../../dashboards/live/result-text.ts';

const PARTS = '../../../dashboards/pages/assets/finding/json-parts.js';
let toParts: (lines: readonly string[], indent: string) => { isLong: boolean; lines: string[] }[];

beforeAll(async () => {
  ({ toParts } = (await import(PARTS)) as { toParts: typeof toParts });
});

describe('a result on a page', () => {
  it.each([
    ['JSON in a fence', '```json\n\n{"a": 1}\n\n```', '{\n  "a": 1\n}'],
    ['JSON in a fence without a language', '```  \r\n[1]\r\n```', '[\n  1\n]'],
    ['a fence that has no end', '```json\n{"a": 1}', null],
    ['a fence around a text', '```\nls\n```', null],
    ['a fence of one line', '```', null],
    ['an empty fence', '```\n```', null],
    ['brackets that do not fit', '{"a": 1]', null],
  ])('that is %s', (_, result, indented) => {
    expect(toResultText(result)).toEqual({ text: indented ?? result, isJson: indented !== null });
  });

  // What a model or an outside worker wrote must not hold up the dashboard, nor fill its memory: time with the square would be minutes.
  it('takes no longer for a hostile text', () => {
    const lines = `\`\`\`${'\n'.repeat(200_000)}x`;
    const deep = `${'['.repeat(250)}${'0,'.repeat(100_000)}0${']'.repeat(250)}`;
    expect(toResultText(lines)).toEqual({ text: lines, isJson: false });
    expect(toResultText(deep)).toEqual({ text: deep, isJson: false });
    expect(toResultText(JSON.parse(deep))).toEqual({ text: deep, isJson: false });
  });
});

it('a long list of short parts is cut in a time that grows with its length', () => {
  const rows = Array.from({ length: 100_000 }, (_, i) => ({ n: i }));
  const lines = toResultText(JSON.stringify(rows)).text.split('\n').slice(1, -1);
  expect(toParts(lines, '  ')).toEqual([{ isLong: false, lines }]);
});

it('long parts are apart from what is between them', () => {
  const list = Array.from({ length: 11 }, (_, i) => i);
  const lines = JSON.stringify({ a: 1, b: list, c: list.slice(1), d: {} }, null, 2)
    .split('\n')
    .slice(1, -1);
  const parts = toParts(lines, '  ');
  expect(parts.map((part) => [part.isLong, part.lines.length])).toEqual([
    [false, 1],
    [true, 13],
    [false, 13],
  ]);
  expect(parts.flatMap((part) => part.lines)).toEqual(lines);
});
