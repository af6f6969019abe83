import { describe, expect, it } from 'vitest';
import { readDiff } from '../../../dashboards/patches/read-diff.ts';
import { toVisible } from '../../../dashboards/access/visible-text.ts';

const BOUNDS = { files: 10, lines: 100, linesOfFile: 50, lineLength: 40 };
const read = (lines: string[], bounds = BOUNDS) => readDiff(`${lines.join('\n')}\n`, true, bounds);
const shown = (lines: string[]) => read(lines).map((file) => [file.path, ...file.lines.map(toShort)]);
const toShort = (line: { sign: string; old: number | null; new: number | null; text: string }) =>
  `${line.old ?? ''}|${line.new ?? ''}|${line.sign}${line.text}`;

describe('readDiff', () => {
  it('numbers the lines before and after', () => {
    expect(
      shown(
        ['diff --git a/a.txt b/a.txt', 'index 1..2 100644', '--- a/a.txt', '+++ b/a.txt'].concat([
          '@@ -4,3 +4,3 @@ heading',
          ' four',
          '-five',
          '+FIVE',
          ' six',
          '\\ No newline at end of file',
        ]),
      ),
    ).toEqual([
      [
        'a.txt',
        '||@@@ -4,3 +4,3 @@ heading',
        '4|4| four',
        '5||-five',
        '|5|+FIVE',
        '6|6| six',
        '||\\ No newline at end of file',
      ],
    ]);
  });

  it('takes content that looks like headings for content', () => {
    const content = ['-diff --git a/x b/x', '--- a/x', '+++ b/x', '+@@ -1 +1 @@'];
    const files = shown(['diff --git a/a b/a', '--- a/a', '+++ b/a', '@@ -1,2 +1,2 @@', ...content]);
    expect(files).toEqual([
      ['a', '||@@@ -1,2 +1,2 @@', '1||-diff --git a/x b/x', '2||--- a/x', '|1|+++ b/x', '|2|+@@ -1 +1 @@'],
    ]);
  });

  it.each([
    ['diff --git a/with space b/with space', 'with space'],
    ['diff --git a/x b/x b/x b/x', 'x b/x'],
    ['diff --git "a/\\303\\274\\"q\\\\\\t.txt" "b/\\303\\274\\"q\\\\\\t.txt"', 'ü"q\\\t.txt'],
    ['diff --git a/<b>"x" b/<b>"x"', '<b>"x"'],
  ])('reads the name of %j', (line, path) => {
    expect(read([line, 'old mode 100644', 'new mode 100755'])).toMatchObject([
      { path, notes: ['old mode 100644', 'new mode 100755'] },
    ]);
  });

  it('names new, deleted, linked and binary files, and skips what a binary holds', () => {
    const texts = [
      'diff --git a/new b/new\nnew file mode 100755\nindex 0..1',
      'diff --git a/bin b/bin\nindex 1..2 100644\nGIT binary patch\nliteral 3\n-diff --git a/x b/x\n',
      'diff --git a/link b/link\nindex 1..2 120000\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n-a\n+b',
      'diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x',
    ];
    const files = read(texts);
    expect(files.map(({ path, notes, isBinary }) => [path, notes, isBinary])).toEqual([
      ['new', ['new', 'executable'], false],
      ['bin', [], true],
      ['link', ['symbolic link'], false],
      ['old', ['deleted'], false],
    ]);
  });

  it('shows the beginning of a long file, line or text, and says so', () => {
    const long = ['@@ -0,0 +1,60 @@', ...Array.from({ length: 60 }, (_, i) => `+${i} ${'x'.repeat(50)}`)];
    const both = ['a', 'b'].flatMap((name) => [`diff --git a/${name} b/${name}`, 'new file mode 100644', ...long]);
    const [first, second] = read(both, { ...BOUNDS, lines: 70 });
    expect([first?.lines.length, first?.isCut, second?.lines.length, second?.isCut]).toEqual([50, true, 20, true]);
    expect(first?.lines[1]?.text).toBe(`0 ${'x'.repeat(38)} …`);
    const half = readDiff(both.join('\n').slice(0, 200), false, BOUNDS);
    expect(half).toMatchObject([{ path: 'a', isCut: true }]);
    expect(read(both, { ...BOUNDS, files: 1 })).toHaveLength(1);
  });

  it.each([
    '',
    'nothing of git',
    '@@ -1 +1 @@',
    'diff --git ',
    'diff --git a/x',
    'diff --git a/x b/x\n@@ -1,9 +1,9 @@',
  ])('survives %j', (text) => expect(readDiff(text, true, BOUNDS).length).toBeLessThan(2));
});

it('shows what a text would hide', () => {
  expect(toVisible('a\tb\nc\r\u0000\u001B[31m\u202Ex\u200B\uFEFF\u2028\u{E0041}ü🍐')).toBe(
    'a\tb\nc␍␀␛[31m<U+202E>x<U+200B><U+FEFF><U+2028><U+E0041>ü🍐',
  );
});
