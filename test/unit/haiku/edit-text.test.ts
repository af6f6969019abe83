import { describe, expect, test } from 'vitest';
import { keepStyle } from '../../../src/haiku/tools/files/text/keep-style.ts';
import { countEnds, toLf } from '../../../src/haiku/tools/files/text/line-ends.ts';
import { describeNearest } from '../../../src/haiku/tools/files/text/nearest-lines.ts';
import { findPlaces, replacePlaces } from '../../../src/haiku/tools/files/text/replace-text.ts';
import { createRandom, takeSeed } from '../../support/random.ts';

/** The text after an edit of all places, or how many places there are. */
function edit(text: string, old: string, fresh: string, most = 1): string | number {
  const places = findPlaces(text, { old, fresh });
  return places.length === 0 || places.length > most ? places.length : replacePlaces(text, places, { old, fresh });
}

describe('an edit keeps the line ends of the place that it fills', () => {
  test.each([
    ['more lines in a CRLF file', 'a\r\nb\r\nc\r\n', 'b', 'x\ny', 'a\r\nx\r\ny\r\nc\r\n'],
    ['old lines given with LF', 'a\r\nb\r\nc\r\n', 'a\nb', 'a\nx\ny', 'a\r\nx\r\ny\r\nc\r\n'],
    ['old lines given with CRLF', 'a\r\nb\r\nc\r\n', 'a\r\nb', 'a\nx', 'a\r\nx\r\nc\r\n'],
    ['both given with CRLF', 'a\r\nb\r\n', 'a\r\nb', 'x\r\ny\r\nz', 'x\r\ny\r\nz\r\n'],
    ['CRLF given in a file of LF', 'a\nb\nc\n', 'a\r\nb', 'x\r\ny', 'x\ny\nc\n'],
    ['a line end at the start of old', 'a\r\nb\r\n', '\nb', '\nx\ny', 'a\r\nx\r\ny\r\n'],
    ['a line end at the end of old', 'a\r\nb\r\n', 'a\n', 'x\ny\n', 'x\r\ny\r\nb\r\n'],
    ['a line taken out', 'a\r\nb\r\nc\r\n', 'b\n', '', 'a\r\nc\r\n'],
    ['a line before an LF line of a mixed file', 'a\r\nb\nc\r\n', 'b', 'x\ny', 'a\r\nx\ny\nc\r\n'],
    ['a line before a CRLF line of a mixed file', 'a\r\nb\nc\r\n', 'c', 'x\ny', 'a\r\nb\nx\r\ny\r\n'],
    ['both kinds in one place', 'a\r\nb\nc\r\nd\n', 'a\nb\nc\nd', 'a\nb\nnew\nc\nd', 'a\r\nb\nnew\nc\r\nd\n'],
    ['the last line, without an end', 'a\r\nb', 'b', 'x\ny', 'a\r\nx\r\ny'],
    ['the only line, without an end', 'a', 'a', 'x\ny', 'x\ny'],
    ['a change of the ends themselves', 'a\r\nb\r\n', 'a\r\nb', 'a\nb', 'a\nb\r\n'],
    ['a lone carriage return', 'a\rb\r\n', 'a\rb', 'a\nb', 'a\nb\r\n'],
    ['an empty line', 'a\r\n\r\nb\r\n', 'a\n\nb', 'a\nb', 'a\r\nb\r\n'],
    ['a file of the old Macintosh', 'a\rb\rc\r', 'a\nb', 'x\ny\nz', 'x\ry\rz\rc\r'],
  ])('%s', (_what, text, old, fresh, after) => {
    expect(edit(text, old, fresh)).toBe(after);
  });

  test('in all places, each with its own', () => {
    expect(edit('x\r\n1\nx\n2\r\nx', 'x', 'p\nq', 3)).toBe('p\r\nq\r\n1\np\nq\n2\r\np\r\nq');
    expect(edit('a\r\nb\r\na\nb\n', 'a\nb\n', 'c\nd\n', 2)).toBe('c\r\nd\r\nc\nd\n');
    expect(edit('a\r\nb\r\n', '\r\n', '\n', 2)).toBe('a\nb\n');
    expect(edit('a\nb\n', '\n', '\r\n', 2)).toBe('a\r\nb\r\n');
  });

  test('and counts places of both kinds, which look alike', () => {
    expect(edit('a\r\nb\r\na\nb\n', 'a\nb', 'c')).toBe(2);
    expect(edit('a\r\nb\r\na\nb\n', 'a\r\nb', 'c')).toBe('c\r\na\nb\n');
  });

  test('and the byte order mark', () => {
    expect(edit('\uFEFFa\r\nb', 'a', 'x\ny')).toBe('\uFEFFx\r\ny\r\nb');
    expect(edit('\uFEFFa', 'a', '\uFEFFx')).toBe('\uFEFFx');
    expect(edit('\uFEFFa', '\uFEFFa', 'a')).toBe('a');
  });
});

describe('a new text for a file keeps', () => {
  test.each([
    ['CRLF', 'a\r\nb\r\n', 'a\nx\n', 'a\r\nx\r\n', 'CRLF line ends'],
    ['CRLF and the mark', '\uFEFFa\r\n', 'x\ny\n', '\uFEFFx\r\ny\r\n', 'byte order mark and CRLF line ends'],
    ['the mark', '\uFEFFa\n', 'x\n', '\uFEFFx\n', 'byte order mark'],
    ['mixed ends where lines are the same', 'a\r\nb\nc\r\n', 'a\nb\nc\nd\n', 'a\r\nb\nc\r\nd\r\n', 'mixed line ends'],
    ['LF', 'a\nb\n', 'x\n', 'x\n', ''],
    ['CR alone', 'a\rb\r', 'x\ny\n', 'x\ry\r', 'CR line ends'],
    ['what is given, where that has CRLF', 'a\n', 'x\r\ny\r\n', 'x\r\ny\r\n', ''],
    ['nothing of a file without line ends', 'a', 'x\ny\n', 'x\ny\n', ''],
  ])('%s', (_what, old, fresh, text, kept) => {
    expect(keepStyle(old, fresh)).toEqual({ text, kept });
  });
});

test('no random edit changes anything but what it replaces, nor the kind of the line ends', () => {
  const random = createRandom(takeSeed('random edits'));
  const pick = (letters: string[], most: number): string =>
    Array.from({ length: random(1, most) }, () => letters[random(0, letters.length - 1)] ?? '').join('');
  for (let i = 0; i < 2_000; i += 1) {
    const kinds = [['\n'], ['\r\n'], ['\n', '\r\n']][random(0, 2)] ?? [];
    const text = pick(['a', 'b', 'é', '🐘', ...kinds], 12);
    const bare = toLf(text);
    const start = random(0, bare.length - 1);
    const old = bare.slice(start, random(start + 1, Math.min(bare.length, start + 4))).toWellFormed();
    const fresh = random(0, 9) === 0 ? '' : pick(['c', '\n', 'd'], 4);
    if (fresh === old) continue; // the tool refuses it
    const places = findPlaces(text, { old, fresh });
    expect(places.length, JSON.stringify({ text, old })).toBe(bare.split(old).length - 1);
    const result = replacePlaces(text, places, { old, fresh });
    expect(toLf(result), JSON.stringify({ text, old, fresh })).toBe(bare.replaceAll(old, () => fresh));
    const { crlf, lf } = countEnds(text);
    if (lf === 0 && crlf > 0) expect(countEnds(result).lf).toBe(0);
    if (crlf === 0) expect(countEnds(result).crlf).toBe(0);
    const kept = keepStyle(
      text,
      bare.replaceAll(old, () => fresh),
    ).text;
    expect(toLf(kept)).toBe(bare.replaceAll(old, () => fresh));
    if (lf === 0 && crlf > 0) expect(countEnds(kept).lf).toBe(0);
  }
});

describe('a text that does not occur', () => {
  const file = [
    'function greet(name) {',
    '\tconst text = “Hello, ” + name;',
    '  if (name === "") {   ',
    '    return null;',
    '  }',
    '  return cafe\u0301(text) — done;',
    '  log("a & b < c");',
    '}',
  ].join('\n');

  test.each([
    ['indentation', 'if (name === "") {\n\treturn null;', /tabs, indentation.*\n {5}3\t {2}if.*\n {5}4\t/],
    ['white space at line ends', '  if (name === "") {\n    return null;', /white space at line ends:\n {5}3\t/],
    ['a tab', '    const text = “Hello, ” + name;', /tabs, indentation.*\n {5}2\t/],
    ['quotes', 'const text = "Hello, " + name;', /quotes, dashes.*\n {5}2\t/],
    ['the composition of letters', 'return caf\u00e9(text)', /\(NFC or NFD\).*\n {5}6\t/],
    ['dashes and composition', 'return caf\u00e9(text) - done', /quotes, dashes.*\n {5}6\t/],
    ['case', 'FUNCTION greet(', /upper and lower case:\n {5}1\t/],
    ['entities', 'log("a &amp; b &lt; c");', /escapes.*\n {5}7\t/],
    ['escaped quotes', 'log(\\"a & b < c\\");', /escapes.*\n {5}7\t/],
    ['line ends spelt out', 'return null;\\n  }', /spelt out.*\n {5}4\t/],
    [
      'the numbers of read',
      '     4\t    return null;\n     5\t  }',
      /line numbers that read shows.*\n {5}4\t {4}return null;/,
    ],
    ['an invisible character', 'return\u200b null;', /visible or not:\n {5}4\t/],
  ])('is explained by %s', (_what, wanted, said) => {
    expect(describeNearest(file, wanted)).toMatch(new RegExp(`^It differs from these lines only in .*?${said.source}`));
  });

  test('is answered with the nearest lines', () => {
    const wanted = '  if (name === undefined) {\n    return undefined;\n  }';
    expect(describeNearest(file, wanted)).toMatch(/^The nearest lines are:\n {5}3\t.*\n {5}4\t.*\n {5}5\t {2}\}$/);
    expect(describeNearest(file, 'import zod from "nowhere";\nzzz')).toBe('Nothing in it is similar.');
    expect(describeNearest('', 'a')).toBe('Nothing in it is similar.');
  });

  test('in a very long line is shown where it nearly is', () => {
    const line = `${'x=1;'.repeat(9_000)}function greet(name){return "Hello, "+name}${'y=2;'.repeat(9_000)}`;
    const said = describeNearest(`short\n${line}\n`, 'function greet( name){return "Hello, " + name}');
    expect(said).toMatch(/\n {5}2\t\[… from character 35\d\d\d\] .*function greet\(name\).* \[…\]$/);
    expect(said.length).toBeLessThan(600);
  });

  test('costs little, however large file and text are', () => {
    const many = Array.from({ length: 400_000 }, (_, i) => `line ${i} of many`).join('\n');
    expect(describeNearest(many, `${'line 7x '.repeat(50_000)}\nof many`).length).toBeLessThan(5_000);
    expect(describeNearest('a b'.repeat(2_000_000), 'a  b a b').length).toBeLessThan(5_000);
  });
});

describe('texts that repeat themselves are found in linear time', () => {
  const long = 'a'.repeat(2_000_000);
  const run = 'a'.repeat(50_000);

  test.each([
    ['none', `${run}b${run}`, 0],
    ['many that overlap', run, 40],
    ['one at the end', `${run}c`, 1],
  ])('%s', (_what, old, count) => {
    expect(findPlaces(`${long}c`, { old, fresh: '' })).toHaveLength(count);
  });

  test('as the engine finds them', () => {
    const random = createRandom(takeSeed('repeated texts'));
    for (let round = 0; round < 300; round += 1) {
      const text = Array.from({ length: 600 }, () => (random(0, 30) === 0 ? 'b' : 'a')).join('');
      const from = random(0, 400);
      const old = text.slice(from, from + 66 + random(0, 40));
      const found = findPlaces(text, { old, fresh: '' });
      const places: number[] = [];
      for (let at = text.indexOf(old); at >= 0; at = text.indexOf(old, at + old.length)) places.push(at);
      expect(found.map(({ start }) => start)).toEqual(places);
    }
  });

  test('and so is where one nearly occurs', () => {
    expect(describeNearest(`z${long}`, `${run}b${run}`)).toMatch(/^The nearest lines are:/);
    expect(describeNearest(`z${long}`, `${run.slice(0, 4_000)}b${run.slice(0, 4_000)}`)).toMatch(
      /^The nearest lines are:/,
    );
    expect(describeNearest('q\n'.repeat(30_000), 'needle')).toBe('Nothing in its first 20,000 lines is similar.');
    expect(describeNearest('\u0315\u0316'.repeat(300_000), `x${'\u0316\u0315'.repeat(4_000)}`)).toContain('nearest');
  });
});
