import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transformJson, type JsonRequest } from '../../../src/haiku/tools/data/transform.ts';

type Options = JsonRequest['steps'] & Partial<Pick<JsonRequest, 'to' | 'path' | 'isLines'>>;

function transform(
  source: string | Buffer,
  { to = 'json', path = '', isLines = false, ...steps }: Options = {},
): string {
  return transformJson({ source, name: 'data', steps, to, path, isLines }).text;
}
const lines = (text: string): string[] => text.trim().split('\n');

describe('a value stays as it is', () => {
  test('with numbers of any size and spelling, the order of fields, and fields of one name', () => {
    const json =
      '{"id":9007199254740993,"x":[0.1000000000000000055,1e400,-0,1.0,1E3],"2024":1,"2023":2,"a":1,"a":2,"__proto__":{}}';
    expect(transform(json).replaceAll(/\s+/g, '')).toBe(json);
    expect(transform(`[${json}]`, { to: 'jsonl' })).toBe(`${json}\n`);
    expect(transform(`[${json}]`, { limit: 1, to: 'jsonl' })).toBe(`${json}\n`);
  });

  test('with any numbers, and any fields in any order', () => {
    const scalar = fc.oneof(
      fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][-+]?\d{1,3})?$/),
      fc.constantFrom('true', 'null', '""'),
    );
    const name = fc.constantFrom('a', '2024', '7', '__proto__', '', 'b.c');
    const { value } = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        scalar,
        fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
        fc
          .array(fc.tuple(name, tie('value')), { maxLength: 5 })
          .map((fields) => `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${field}`).join(',')}}`),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        expect(transform(`[${json}]`, { to: 'jsonl' })).toBe(`${json}\n`);
        expect(transform(transform(json), { path: '' }).replaceAll(/\s/g, '')).toBe(json);
      }),
    );
  });

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value, null, 2);
        expect(transform(json)).toBe(`${json}\n`);
      }),
    );
  });

  test('in bytes with a byte order mark, also of UTF-16', () => {
    expect(transform(Buffer.from('\ufeff{"a":1}'))).toBe('{\n  "a": 1\n}\n');
    expect(transform(Buffer.from('\ufeff{"ä":1}', 'utf16le'), { path: 'ä' })).toBe('1\n');
    expect(transform('\ufeff[1]')).toBe('[\n  1\n]\n');
  });
});

describe('what is no JSON is refused', () => {
  test.each([
    ['{"a": }', 'data: is not JSON: line 1, column 7: expected a value, found "}"'],
    ['[1,\n 2,\n]', 'data: is not JSON: line 3, column 1: expected a value, found "]"'],
    ['\u200b{}', 'data: is not JSON: line 1, column 1: expected a value, found U+200B'],
    [
      '{"a":1}\n{"a":2}\n{"a":}\n',
      'data: is not JSON, one value a line: line 3, column 6: expected a value, found "}"',
    ],
    ['', 'found the end of the text'],
    ['[['.repeat(600), 'nested deeper than 1000 levels'],
  ])('%j', (text, problem) => {
    expect(() => transform(text)).toThrow(problem);
  });
});

describe('JSON lines', () => {
  const text = '{"id":9007199254740993,"b":"x"}\r\n\n{"id":2}\n';

  test('are read as a list, by the name of the file or by their look', () => {
    const expected = '{"id":9007199254740993,"b":"x"}\n{"id":2}\n';
    expect(transform(text, { isLines: true, to: 'jsonl' })).toBe(expected);
    expect(transform(text, { to: 'jsonl' })).toBe(expected);
    expect(transform('{"id":1}\n', { isLines: true })).toBe('[\n  {\n    "id": 1\n  }\n]\n');
    expect(transform('{"id":1}\n', {})).toBe('{\n  "id": 1\n}\n');
    expect(transform('1\n"x"\nnull\n', { to: 'jsonl' })).toBe('1\n"x"\nnull\n');
    expect(transform('', { isLines: true, to: 'jsonl' })).toBe('');
  });

  test('may be one value over many lines all the same', () => {
    expect(transform('[\n  1,\n  2\n]\n', { isLines: true, to: 'jsonl' })).toBe('1\n2\n');
  });

  test('take steps', () => {
    expect(
      transform(text, { where: [{ field: 'id', op: 'eq', value: '9007199254740993' }], select: ['b'], to: 'jsonl' }),
    ).toBe('{"b":"x"}\n');
  });

  test('are made of a list only', () => {
    expect(() => transform('{"a":1}', { to: 'jsonl' })).toThrow('JSON lines are made of a list; name one with "path"');
  });
});

describe('a path', () => {
  const json = '{"items":[{"a.b":{"c":1},"a":{"b":{"c":2}}}],"n":{"length":3},"d":1,"d":2}';

  test.each([
    ['items.0.a', '{"b":{"c":2}}'],
    ['items.0.a.b.c', '1'],
    ['n.length', '3'],
    ['', json],
  ])('finds %s', (path, expected) => {
    expect(transform(json, { path }).replaceAll(/\s/g, '')).toBe(expected);
  });

  test.each([
    ['itms', 'has nothing at path "itms": no "itms" among "items", "n", "d", "d"'],
    ['items.7.a', 'no "7.a" in a list of 1 items'],
    ['items.length', 'no "length" in a list'],
    ['n.length.x', 'no "x" in a single value'],
    ['constructor', 'no "constructor" among'],
    ['d', 'an object has more than one field "d"'],
  ])('that leads nowhere is refused: %s', (path, problem) => {
    expect(() => transform(json, { path })).toThrow(problem);
  });
});

describe('fields', () => {
  const json = '[{"id":1,"tag":{"name":"x"}},{"id":10,"tag":null,"2024":true},{"id":9007199254740993}]';

  test('are selected by name and by path', () => {
    expect(lines(transform(json, { select: ['tag.name', '2024', 'id'], to: 'jsonl' }))).toEqual([
      '{"tag.name":"x","2024":null,"id":1}',
      '{"tag.name":null,"2024":true,"id":10}',
      '{"tag.name":null,"2024":null,"id":9007199254740993}',
    ]);
  });

  test.each([
    [{ select: ['ID'] }, 'select: there is no "ID"; there are "id", "tag", "2024"'],
    [{ select: ['tag.nmae'] }, 'select: there is no "tag.nmae"'],
    [{ where: [{ field: 'x', op: 'exists', value: false }] }, 'where: there is no "x"'],
    [{ sort_by: 'x' }, 'sort_by: there is no "x"'],
    [{ group_count: '__proto__' }, 'group_count: there is no "__proto__"'],
    [{ limit: 1, path: '0' }, 'expected a list of objects, found one object with "id", "tag"'],
    [{ limit: 1, path: '0.id' }, 'expected a list of objects, found a single value'],
  ] as [Options, string][])('that no row has are refused: %j', (options, problem) => {
    expect(() => transform(json, options)).toThrow(problem);
  });

  test('of no rows are not judged', () => {
    expect(transform('[]', { where: [{ field: 'x', op: 'eq', value: 1 }], sort_by: 'y', select: ['z'] })).toBe('[]\n');
    expect(transform('[]', { select: ['z'], to: 'csv' })).toBe('z\n');
    expect(transform('[]', { to: 'csv' })).toBe('');
  });

  test('that a row has twice are refused where one is meant', () => {
    expect(() => transform('[{"a":1},{"a":2,"a":3}]', { sort_by: 'a' })).toThrow('more than one field "a"');
  });
});

describe('values', () => {
  const json =
    '[{"v":7,"i":0},{"v":"7","i":1},{"v":"007","i":2},{"v":7.0,"i":3},{"v":null,"i":4},{"i":5},{"v":true,"i":6},{"v":["7",7],"i":7}]';
  const keep = (op: string, value: unknown): string =>
    lines(transform(json, { where: [{ field: 'v', op, value }] as never, select: ['i'], to: 'csv' }))
      .slice(1)
      .join('');

  test.each([
    ['eq', '007', '2'],
    ['eq', '7', '01'],
    ['eq', 7, '0123'],
    ['eq', true, '6'],
    ['eq', null, '45'],
    ['ne', null, '012367'],
    ['exists', true, '012367'],
    ['contains', '7', '01237'],
    ['contains', 7, '01237'],
    ['gte', 7, '0123'],
  ])('%s %j', (op, value, expected) => {
    expect(keep(op, value)).toBe(expected);
  });

  test('are counted as what they are', () => {
    expect(lines(transform(json, { group_count: 'v', to: 'jsonl' }))).toEqual([
      '{"v":7,"count":2}',
      '{"v":null,"count":2}',
      '{"v":"7","count":1}',
      '{"v":"007","count":1}',
      '{"v":true,"count":1}',
      '{"v":["7",7],"count":1}',
    ]);
  });

  test('beyond 2^53 are told apart', () => {
    const big = '[{"id":9007199254740993},{"id":9007199254740992},{"id":"9007199254740993"}]';
    expect(transform(big, { sort_by: 'id', to: 'csv' })).toBe(
      'id\n9007199254740992\n9007199254740993\n9007199254740993\n',
    );
    expect(transform(big, { group_count: 'id', to: 'csv' })).toBe(
      'id,count\n9007199254740993,1\n9007199254740992,1\n9007199254740993,1\n',
    );
    expect(transform(big, { where: [{ field: 'id', op: 'lt', value: '9007199254740993' }], to: 'csv' })).toBe(
      'id\n9007199254740992\n',
    );
  });
});

describe('as CSV', () => {
  test.each([
    ['the fields of all rows, in the order of their first use', '[{"b":1,"2":2},{"1":3,"b":4}]', 'b,2,1\n1,2,\n4,,3\n'],
    ['fields of one name', '[{"a":1,"a":2},{"a":3}]', 'a,a\n1,2\n3,\n'],
    ['blank, missing and null', '[{"a":"","b":null},{"c":1}]', 'a,b,c\n,,\n,,1\n'],
    ['numbers as they are', '[{"a":9007199254740993,"b":1.0,"c":1e400}]', 'a,b,c\n9007199254740993,1.0,1e400\n'],
    ['other JSON', '[{"a":true,"c":{"d":[1,"x"]}}]', 'a,c\ntrue,"{""d"":[1,""x""]}"\n'],
    ['line ends and a byte order mark', '[{"a":"x\\ry","b":"\ufeffz"}]', 'a,b\n"x\ry","\ufeffz"\n'],
    ['formulas', '[{"a":"=1+1"}]', 'a\n=1+1\n'],
  ])('has %s', (_, json, csv) => {
    expect(transform(json, { to: 'csv' })).toBe(csv);
  });

  test('keeps the header where no row is kept', () => {
    const none = { where: [{ field: 'id', op: 'eq', value: 'x' }], to: 'csv' } as const;
    expect(transform('[{"id":1,"b":2}]', { ...none, where: [...none.where] })).toBe('id,b\n');
  });

  test('refuses what it cannot hold', () => {
    expect(() => transform(String.raw`[{"a":"\ud800"}]`, { to: 'csv' })).toThrow('half a surrogate pair');
    expect(() => transform('[{},{}]', { to: 'csv' })).toThrow('the objects have no fields');
    const unlike = `[${Array.from({ length: 8_000 }, (_, i) => `{"key${i}":${i}}`).join(',')}]`;
    expect(() => transform(unlike, { to: 'csv' })).toThrow('8000 rows × 8000 columns are more than 5000000 cells');
    expect(lines(transform(unlike, { to: 'csv', limit: 600 }))).toHaveLength(601);
  });
});
