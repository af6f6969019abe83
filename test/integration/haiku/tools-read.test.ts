import type { ToolUseBlock } from '../../../src/models/format.ts';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseReadResult } from '../../../simulator/model/task/read-result.ts';
import { toToolResults, useTools } from '../../../src/haiku/loop/use-tools.ts';
import { toSha256 } from '../../../src/haiku/tools/files/text-file.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});

const read = (file_path: string, view_range?: [number, number], from_character?: number) =>
  site.use('read', { file_path, view_range, from_character });
const lines = (count: number): string => Array.from({ length: count }, (_, line) => `line ${line + 1}\n`).join('');

/** Reads a file from its beginning to its end, as its results tell. */
async function readOn(path: string): Promise<{ text: string; calls: number; largest: number }> {
  const found = { text: '', calls: 0, largest: 0 };
  let input: Record<string, unknown> = {};
  for (;;) {
    const { content, isError } = await site.use('read', { file_path: path, ...input });
    expect({ isError, content: content.slice(0, isError ? 500 : 0) }).toEqual({ isError: false, content: '' });
    const result = parseReadResult(content);
    found.text += result?.text ?? '';
    found.calls += 1;
    found.largest = Math.max(found.largest, Buffer.byteLength(content));
    if (result === null || result.next === null) return found;
    input = { ...result.next };
  }
}

describe('read', () => {
  test('numbers the lines and remembers the hash of the whole file', async () => {
    await site.put('src/a.txt', 'one\n\n\ttwo\n');
    expect(await read('./src/../src/a.txt')).toEqual({
      content: '     1\tone\n     2\t\n     3\t\ttwo',
      isError: false,
      seen: { 'src/a.txt': toSha256('one\n\n\ttwo\n') },
    });
  });

  test('shows a range of lines, and tells of what it is a part', async () => {
    await site.put('a.txt', 'one\ntwo\nthree\nfour');
    const end = '[no line end after the last line]';
    expect((await read('a.txt', [2, 3])).content).toBe('     2\ttwo\n     3\tthree\n[lines 2–3 of 4]');
    expect((await read('a.txt', [3, -1])).content).toBe(`     3\tthree\n     4\tfour\n[lines 3–4 of 4]\n${end}`);
    expect((await read('a.txt', [4, 9])).content).toBe(`     4\tfour\n[line 4 of 4]\n${end}`);
    expect((await read('a.txt', [1, 4])).content).not.toContain('of 4');
    expect((await read('a.txt', [1, 2])).seen).toEqual({ 'a.txt': toSha256('one\ntwo\nthree\nfour') });
  });

  test.each([
    [[9, 10], 'has 4 lines, asked from line 9'],
    [[3, 2], 'the first line before the last'],
    [[0, 2], 'lines count from 1'],
    [[1, 2, 3], 'view_range'],
  ] as [[number, number], string][])('refuses the range %j', async (range, said) => {
    await site.put('a.txt', 'one\ntwo\nthree\nfour');
    const outcome = await read('a.txt', range);
    expect(outcome.isError).toBe(true);
    expect(outcome.content).toContain(said);
  });

  test('shows the first part of a large file, how large it is, and how to go on', async () => {
    await site.put('long.txt', lines(20_000));
    const { content, seen } = await read('long.txt');
    expect(content).toMatch(
      /^ {5}1\tline 1\n[^]*\n\[lines 1–(\d,\d{3}) of 20,000; go on with view_range \[\d{4}, -1\]\]$/,
    );
    expect(Buffer.byteLength(content)).toBeGreaterThan(25_000);
    expect(seen).toHaveProperty(['long.txt'], toSha256(lines(20_000)));
    expect((await read('long.txt', [19_999, 30_000])).content).toBe(
      ' 19999\tline 19999\n 20000\tline 20000\n[lines 19,999–20,000 of 20,000]',
    );
    expect((await read('long.txt', [5_000, 15_000])).content).toMatch(/; go on with view_range \[\d{4}, 15000\]\]$/);
  });

  test('shows a very long line in parts', async () => {
    await site.put('min.js', `short\n${'abcdefghij'.repeat(7_000)}\nend\n`);
    expect((await read('min.js')).content).toBe('     1\tshort\n[line 1 of 3; go on with view_range [2, -1]]');
    expect((await read('min.js', [2, -1])).content).toMatch(
      /^ {5}2\t(abcdefghij)+.*\n\[line 2 of 3: characters 1–29,992 of 70,000; go on with view_range \[2, -1\] and from_character 29993\]$/,
    );
    expect((await read('min.js', [2, -1], 69_999)).content).toBe(
      '     2\tij\n     3\tend\n[lines 2–3 of 3, line 2 from character 69,999]',
    );
    expect((await read('min.js', [2, -1], 70_001)).content).toContain('line 2 has 70,000 characters, asked from 70001');
  });

  test.each([
    ['many short lines', lines(9_000)],
    ['empty lines', '\n'.repeat(12_000)],
    ['one line without an end', 'é🐘x'.repeat(20_000)],
    ['long lines among short ones', `a\n${'🐘'.repeat(30_000)}\n\nb\n${'é'.repeat(40_000)}\nend`],
    ['lines that fill a result exactly', `${'x'.repeat(29_992)}\n${'y'.repeat(29_993)}\n${'z'.repeat(29_991)}\n`],
    ['a large file of long lines', `${'word '.repeat(2_000)}\n`.repeat(60)],
    ['one line of a megabyte', 'x'.repeat(1_000_000)],
  ])('can be followed to the end: %s', async (_what, text) => {
    await site.put('a.txt', text);
    const found = await readOn('a.txt');
    expect(found.text === text).toBe(true);
    expect(found.largest).toBeLessThan(31_000);
    expect(found.calls).toBeLessThanOrEqual(
      Math.ceil((Buffer.byteLength(text) + 8 * text.split('\n').length) / 14_000) + 3,
    );
  });

  test.each([
    ['an empty file', '', '[the file is empty]'],
    ['a line end alone', '\n', '     1\t'],
    ['CRLF', 'a\r\nb\r\n', '     1\ta\n     2\tb\n[has CRLF line ends, which edit and write keep]'],
    [
      'mixed line ends',
      'a\r\nb\n',
      '     1\ta\n     2\tb\n[has mixed line ends (1 CRLF, 1 LF), which edit and write keep]',
    ],
    ['a lone carriage return', 'a\rb\n', '     1\ta\rb'],
    [
      'lines of the old Macintosh',
      'a\rb\r',
      '     1\ta\rb\r\n[no line end after the last line]\n[has CR line ends, so that it shows as one line, which edit and write keep]',
    ],
    ['a byte order mark', '\uFEFFa\n', '     1\ta\n[has a byte order mark, which edit and write keep]'],
  ])('shows %s', async (_what, text, content) => {
    await site.put('a.txt', text);
    expect((await read('a.txt')).content).toBe(content);
  });

  test.each([
    [
      'Latin-1',
      Buffer.from('caf\xe9\n', 'latin1'),
      '     1\tcaf\uFFFD\n[not UTF-8: some characters are shown as \uFFFD; edit and write refuse this file]',
    ],
    [
      'UTF-16',
      Buffer.from('\uFEFFcafé\r\nx\r\n', 'utf16le'),
      '     1\tcafé\n     2\tx\n[UTF-16LE, decoded; edit and write refuse this file]',
    ],
    [
      'UTF-16 of the other order',
      Buffer.from('\uFEFFé\n', 'utf16le').swap16(),
      '     1\té\n[UTF-16BE, decoded; edit and write refuse this file]',
    ],
  ])('shows %s, and says that it cannot be written back', async (_what, bytes, content) => {
    await site.put('a.txt', bytes);
    expect((await read('a.txt')).content).toBe(content);
    expect((await site.use('write', { file_path: 'a.txt', content: 'café' })).isError).toBe(true);
    expect(await readFile(join(site.root, 'a.txt'))).toEqual(bytes);
  });

  test('shows a log with a NUL far in it', async () => {
    await site.put('a.log', `${lines(2_000)}a\0b\n`);
    expect((await read('a.log', [2_001, -1])).content).toContain('  2001\ta␀b\n');
  });

  test('reads a range of a file of gigabytes without reading the rest', async () => {
    await site.put('huge.log', 'first\nsecond\n'.repeat(10_000));
    await truncate(join(site.root, 'huge.log'), 3_000_000_000); // a sparse file: reading it to its end would take long
    expect(await read('huge.log', [1, 2])).toEqual({
      content: '     1\tfirst\n     2\tsecond\n[lines 1–2 of a file of 3,000,000,000 bytes]',
      isError: false, // without a hash: the task may not overwrite the file
    });
    expect((await read('huge.log')).content).toMatch(
      /of a file of 3,000,000,000 bytes; go on with view_range \[\d+, -1\]\]$/,
    );
    expect((await site.use('write', { file_path: 'huge.log', content: '' })).isError).toBe(true);
  });

  test.each([
    ['a binary file', async () => site.put('x', Buffer.from([1, 0, 2])), /binary/],
    [
      'UTF-16 without a mark',
      async () => site.put('x', Buffer.from('abc', 'utf16le')),
      /UTF-16 without a byte order mark/,
    ],
    ['a folder', () => mkdir(join(site.root, 'x')), /folder; use list/],
    ['a FIFO', async () => void execFileSync('mkfifo', [join(site.root, 'x')]), /not a regular file/],
    ['a file that is not there', () => Promise.resolve(), /no such file/],
  ])('refuses %s', async (_what, make, said) => {
    await make();
    const outcome = await read('x');
    expect(outcome.isError).toBe(true);
    expect(outcome.content).toMatch(said);
    expect(outcome.content).not.toContain(site.root);
  });
});

test('what a worker of the version before stored of a read, without line numbers, counts as read', async () => {
  await site.put('a.txt', 'one\ntwo\n');
  const use = {
    type: 'tool_use' as const,
    id: 't1',
    name: 'read',
    input: { file_path: 'a.txt' },
  } as ToolUseBlock;
  const stored = JSON.stringify([{ content: 'one\ntwo\n', isError: false, seen: { 'a.txt': toSha256('one\ntwo\n') } }]);
  const toolset = createToolset({ workspace: true, runAllow: [], httpAllow: [] });
  const none = { isolation: null, place: undefined, record: undefined };
  const run = { toolset, context: site.context, isDraining: () => false, turn: 0, ...none };
  const outcomes = await useTools([use], stored, run);
  expect(toToolResults([use], outcomes)).toMatchObject([{ tool_use_id: 't1', content: 'one\ntwo\n' }]);
  const edit = { file_path: 'a.txt', old_string: 'one\ntwo', new_string: 'three' };
  expect(await site.use('edit', edit)).toMatchObject({ isError: false });
});
