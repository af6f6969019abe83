import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { hasExactNumber, parseAsWritten, parseExact, stringifyExact, toRounded } from '../../../src/text/exact-json.ts';
import { ExactNumber } from '../../../src/text/json-values.ts';

/** Numbers whose value, or sign, a double changes. */
const CHANGED = [
  '9007199254740993',
  '-9007199254740993',
  '12345678901234567890123',
  '0.1000000000000000055',
  '1e400',
  '-1E+400',
  '1e-400',
  '-0',
  '-0.0',
  '0.30000000000000004441',
];
/** Numbers that JavaScript writes in another way, with the same value. */
const RESPELT = ['1.0', '1e3', '1E3', '0.10', '100000000000000000000000', '1e-7', '0.0000001', '-1.50', '0e5', '1e+2'];
const PLAIN = ['0', '7', '-1', '1.5', '9007199254740991', '1e+21', '123456789012345680000'];

describe('exact numbers', () => {
  it.each(CHANGED)('%s stays as it is', (text) => {
    const json = `{"a":[${text},1],"b":"x"}`;
    const value = parseExact(json);
    expect(hasExactNumber(value)).toBe(true);
    expect(stringifyExact(value)).toBe(json);
    expect(stringifyExact(parseAsWritten(json))).toBe(json);
  });

  it.each(RESPELT)('%s is a JavaScript number, and stays as written where that is asked for', (text) => {
    expect(parseExact(text)).toBe(Number(text));
    expect(stringifyExact(parseAsWritten(`[${text}]`))).toBe(`[${text}]`);
  });

  it.each(PLAIN)('%s is a JavaScript number', (text) => {
    expect(parseExact(text)).toBe(Number(text));
    expect(parseAsWritten(text)).toBe(Number(text));
  });

  test('any number that is written is the number that was read', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][-+]?\d{1,3})?$/);
    fc.assert(fc.property(digits, (text) => stringifyExact(parseAsWritten(text)) === text));
  });

  test('a writer that knows none of them rounds, and leaves no null behind', () => {
    const value = parseExact('{"id":9007199254740993,"far":-1e400}');
    expect(JSON.stringify(value)).toBe('{"id":9007199254740992,"far":-1.7976931348623157e+308}');
    expect(toRounded(value)).toEqual({ id: 9007199254740992, far: -Number.MAX_VALUE });
    const same = { a: 1 };
    expect(toRounded(same)).toBe(same);
  });
});

test.each([
  '[9007199254740993]',
  '9007199254740993',
  '{"a":-0}',
  '[1,\n\t1e400]',
  '{"a" : 12345678.123456789012}',
  '[0,-1.5e-999]',
])('an exact number is found wherever it stands: %s', (text) => {
  expect(hasExactNumber(parseExact(text))).toBe(true);
});

describe('fields', () => {
  const json = '{"b":1,"2024":2,"2023":3,"name":4,"name":5,"__proto__":{"x":6},"":7}';

  it('stay in their order, names that occur twice included', () => {
    expect(stringifyExact(parseAsWritten(json))).toBe(json);
  });

  it('are those of JSON.parse in a plain object', () => {
    const plain = parseExact(json);
    expect(JSON.stringify(plain)).toBe(JSON.stringify(JSON.parse(json)));
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
  });
});

describe('the reader', () => {
  const json = fc.json({ maxDepth: 5 });

  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(json, fc.nat(2), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, null, indent);
        expect(stringifyExact(parseExact(spaced), indent)).toBe(spaced);
        expect(stringifyExact(parseAsWritten(spaced), indent)).toBe(spaced);
      }),
    );
  });

  test('refuses what JSON.parse refuses, and nothing else', () => {
    const signs = fc.constantFrom(...Array.from('{}[]",:\\/0123456789-+.eEtrufalsn \n\t\r\u00a0\ufeff\u0000é'));
    const broken = fc
      .tuple(json, fc.nat(), fc.array(signs, { maxLength: 3 }), fc.nat(3))
      .map(([text, seed, put, cut]) => {
        const at = seed % (text.length + 1);
        return text.slice(0, at) + put.join('') + text.slice(at + cut);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          broken,
          fc.array(signs).map((list) => list.join('')),
        ),
        (text) => {
          const isRead = parses(() => JSON.parse(text));
          expect(parses(() => parseExact(text))).toBe(
            isRead || (text.startsWith('\ufeff') && parses(() => JSON.parse(text.slice(1)))),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', 'line 1, column 1: expected a value, found the end of the text'],
    ['{"a":1,\n "b":2,}', 'line 2, column 8: expected a name in quotes, found "}"'],
    ['[1 2]', 'line 1, column 4: expected "," or "]", found "2"'],
    ['{"a"=1}', 'line 1, column 5: expected ":", found "="'],
    ['{a:1}', 'line 1, column 2: expected a name in quotes or "}", found "a"'],
    ['[01]', 'line 1, column 3: expected "," or "]", found "1"'],
    ['[NaN]', 'line 1, column 2: expected a value, found "N"'],
    ['\u200b[]', 'line 1, column 1: expected a value, found U+200B'],
    ['[]\u00a0', 'line 1, column 3: expected the end, after the first value, found U+00A0'],
    ['"a\tb"', 'line 1, column 3: U+0009 in a text must be written as an escape'],
    [
      String.raw`"\x"`,
      String.raw`line 1, column 2: a backslash in a text must begin an escape such as \n, \\ or \u00e9`,
    ],
    ['"abc', 'line 1, column 5: expected a quote that ends the text, found the end of the text'],
  ])('tells what is wrong with %j, and where', (text, problem) => {
    expect(() => parseExact(text)).toThrow(problem);
  });

  it('refuses what is nested too deep for what writes it', () => {
    const nest = (levels: number): string => `${'['.repeat(levels)}1e400${']'.repeat(levels)}`;
    expect(stringifyExact(parseExact(nest(1_000)))).toBe(nest(1_000));
    for (const parse of [parseExact, parseAsWritten]) {
      expect(() => parse(nest(5_000))).toThrow('line 1, column 1002: nested deeper than 1000 levels');
    }
  });

  it('skips a byte order mark', () => {
    expect(parseExact('\ufeff[1]')).toEqual([1]);
  });
});

test('writes what JSON.stringify writes beside an exact number', () => {
  const rest = {
    list: [],
    none: {},
    skipped: undefined,
    date: new Date(0),
    text: 'a"\ud800',
    deep: [[1, [true]], null],
  };
  const value = { id: new ExactNumber('1e400'), ...rest };
  for (const indent of [0, 2]) {
    const expected = JSON.stringify({ id: 0, ...rest }, null, indent).replace(/"id": ?0/, (id) =>
      id.replace('0', '1e400'),
    );
    expect(stringifyExact(value, indent)).toBe(expected);
  }
  expect(stringifyExact(undefined)).toBe('');
});

it('ends for a value that holds itself, large or small', () => {
  const loop: Record<string, unknown> = {};
  loop['inner'] = { loop, list: [loop] };
  for (const value of [loop, [...Array.from({ length: 20_000 }, () => ({})), loop]]) {
    expect(() => stringifyExact(value)).toThrow(/circular/);
    expect(hasExactNumber(value)).toBe(false);
  }
});

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
