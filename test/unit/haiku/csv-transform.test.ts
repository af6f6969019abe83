import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transformCsv, type CsvRequest } from '../../../src/haiku/tools/data/transform.ts';

type Options = CsvRequest['steps'] & Partial<Pick<CsvRequest, 'to' | 'delimiter' | 'likely' | 'hasHeader'>>;

function transform(
  source: string | Buffer,
  { to = 'csv', delimiter, likely, hasHeader = true, ...steps }: Options = {},
): string {
  return transformCsv({ source, name: 'data', steps, to, delimiter, likely, hasHeader }).text;
}

describe('a table stays as it is', () => {
  test.each([
    ['headers that repeat', 'id,name,name\n1,Ada,Lovelace\n'],
    ['headers that are numbers, in their order', 'name,2024,2023\nAda,1,2\n'],
    ['a header without a name', ',a,\n0,1,2\n'],
    ['a header named like what objects inherit', '__proto__,constructor\n1,2\n'],
    ['spaces around cells and headers', ' id , name\n 1, Ada \n'],
    ['blank cells', 'a,b,c\n,,\n1,,3\n'],
    ['numbers of any size and spelling', 'id,n\n9007199254740993,1e400\n007,-0\n0x7,7e0\n'],
    ['cells that look like formulas', 'a,b\n=1+1,@x\n-2,+3\n'],
    ['quotes, delimiters and line ends in cells', 'a,b\n"x,y","say ""hi"""\n"1\n2","3\r\n4"\n'],
    ['a lone carriage return in a cell', 'a,b\n"x\ry",1\n'],
    ['a header alone', 'id,name\n'],
    ['one column with blank cells', 'a\n1\n""\n2\n""\n'],
    ['CRLF', 'a,b\r\n1,"x\ny"\r\n'],
    ['semicolons', 'a;b\n1,5;2\n'],
    ['tabs', 'a\tb\n1\t2, 3\n'],
    ['bars', 'a|b\n1|2\n'],
    ['text beyond ASCII', 'näme,😀\n\u200b,\u00a0\n'],
  ])('with %s', (_, csv) => {
    expect(transform(csv)).toBe(csv);
  });

  test.each([
    ['no line end at the end', 'a,b\n1,2', 'a,b\n1,2\n'],
    ['blank lines', '\n\na,b\n\n1,2\n\n', 'a,b\n1,2\n'],
    ['a blank line in one column, which is a blank cell', 'a\n1\n\n2\n\n', 'a\n1\n""\n2\n'],
    ['lines that end with a carriage return', 'a,b\r1,"x\ry"\r', 'a,b\n1,"x\ry"\n'],
    ['lines that end in two ways', 'a,b\r\n1,2\n3,x\ry\r\n', 'a,b\r\n1,2\r\n3,"x\ry"\r\n'],
    ['quotes that are not needed', '"a","b"\n"1","2"\n', 'a,b\n1,2\n'],
    ['a byte order mark before text of the model', '\ufeffa,b\n1,2\n', 'a,b\n1,2\n'],
  ])('after %s', (_, csv, expected) => {
    expect(transform(csv)).toBe(expected);
  });

  test('with any cells and headers', () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ' ', ',', ';', '\t', '|', '"', '\r', '\n', '\ufeff', '=', '0') }),
      fc.string({ unit: 'grapheme' }),
    );
    const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
      const row = fc.array(cell, { minLength: width, maxLength: width });
      return fc.tuple(row, fc.array(row, { maxLength: 5 }));
    });
    fc.assert(
      fc.property(tables, ([header, rows]) => {
        const table = [header, ...rows];
        const written = table.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join('\n');
        const plain = transform(written);
        expect(parse(plain, { record_delimiter: '\n' })).toEqual(table);
        expect(transform(plain)).toBe(plain);
      }),
    );
  });
});

describe('bytes', () => {
  const text = 'name;größe\n"Ada";1\n';
  const swapped = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();

  test.each([
    ['UTF-8', Buffer.from(text), 'name;größe\nAda;1\n'],
    ['UTF-8 with a byte order mark, which it keeps', Buffer.from(`\ufeff${text}`), '\ufeffname;größe\nAda;1\n'],
    ['UTF-16LE', Buffer.from(`\ufeff${text}`, 'utf16le'), '\ufeffname;größe\nAda;1\n'],
    ['UTF-16BE', swapped, '\ufeffname;größe\nAda;1\n'],
  ])('of %s are read', (_, bytes, expected) => {
    expect(transform(bytes)).toBe(expected);
    expect(JSON.parse(transform(bytes, { to: 'json' }))).toEqual([{ name: 'Ada', größe: '1' }]);
  });

  test('of another encoding are refused', () => {
    expect(() => transform(Buffer.from(text, 'latin1'))).toThrow('data: is not UTF-8 text: byte 0xf6 at offset 7');
    expect(() => transform('a,b\n1,\ud800\n')).toThrow('half a surrogate pair');
  });
});

describe('columns', () => {
  const csv = 'id,name,name,2024\n1,Ada,Lovelace,x\n2,Bob,Ross,\n';

  test('are selected in the order that is asked for, also twice, and by number where names repeat', () => {
    expect(transform(csv, { select: ['2024', 'name#2', 'id', 'id'] })).toBe(
      '2024,name#2,id,id\nx,Lovelace,1,1\n,Ross,2,2\n',
    );
    expect(() => transform(csv, { select: ['name'] })).toThrow(
      'select: 2 columns are named "name"; name one by its number: "name#1" to "name#2"',
    );
  });

  test('have names of their own in JSON, with all cells', () => {
    expect(transform(csv, { to: 'jsonl', limit: 1 })).toBe('{"id":"1","name":"Ada","name#2":"Lovelace","2024":"x"}\n');
    expect(transform('a,a,a#2\n1,2,3\n', { to: 'jsonl' })).toBe('{"a":"1","a#3":"2","a#2":"3"}\n');
  });

  test('stay when no row is kept', () => {
    const none = [{ field: 'id', op: 'eq', value: 'nobody' }] as const;
    expect(transform(csv, { where: [...none] })).toBe('id,name,name,2024\n');
    expect(transform(csv, { where: [...none], select: ['id', '2024'] })).toBe('id,2024\n');
    expect(transform(csv, { where: [...none], group_count: 'id' })).toBe('id,count\n');
    expect(transform(csv, { where: [...none], to: 'json' })).toBe('[]\n');
  });

  test.each([
    [{ select: ['Name'] }, 'select: there is no "Name"; there are "id", "name", "name", "2024"'],
    [{ where: [{ field: 'nmae', op: 'eq', value: 'x' }] }, 'where: there is no "nmae"; there are'],
    [{ where: [{ field: 'nmae', op: 'exists', value: false }] }, 'where: there is no "nmae"; there are'],
    [{ sort_by: 'age' }, 'sort_by: there is no "age"; there are'],
    [{ group_count: 'team' }, 'group_count: there is no "team"; there are'],
    [{ group_count: 'id', sort_by: 'name#1' }, 'sort_by: there is no "name#1"; there are "id", "count"'],
    [{ select: ['name#3'] }, 'select: there is no "name#3"; there are'],
    [{ select: ['constructor'] }, 'select: there is no "constructor"; there are'],
  ] as [Options, string][])('that there are not are refused: %j', (steps, problem) => {
    expect(() => transform(csv, steps)).toThrow(problem);
  });

  test('are listed up to the thirtieth', () => {
    const header = Array.from({ length: 33 }, (_, i) => `c${i}`).join(',');
    expect(() => transform(`${header}\n`, { select: ['x'] })).toThrow(/"c0", .*"c29" and 3 more$/);
  });

  test('have numbers where there is no header', () => {
    expect(transform('Ada,36\nBob,9\n', { hasHeader: false, sort_by: '2', select: ['2', '1'] })).toBe(
      '9,Bob\n36,Ada\n',
    );
    expect(transform('Ada,36\n', { hasHeader: false, to: 'jsonl' })).toBe('{"1":"Ada","2":"36"}\n');
  });
});

describe('the delimiter', () => {
  test.each([
    ['name;age\nAda, Countess;36\n', 'age;name\n36;Ada, Countess\n'],
    ['name\tage\nAda\t36\n', 'age\tname\n36\tAda\n'],
    ['name|age\nAda|36\n', 'age|name\n36|Ada\n'],
    ['"a;b",age,name\n1,36,Ada\n', 'age,name\n36,Ada\n'],
    ['name;x, y;age\nAda;1;36\n', 'age;name\n36;Ada\n'],
  ])('is found in %j', (csv, expected) => {
    expect(transform(csv, { select: ['age', 'name'] })).toBe(expected);
  });

  test('that a file of tabs is named for comes first', () => {
    expect(transform('a,b\tc\n1,2\t3\n', { likely: '\t', select: ['c'] })).toBe('c\n3\n');
  });

  test('is no part of a single column', () => {
    expect(transform('notes; remarks\nfirst\nsecond; third; fourth\n', { limit: 1 })).toBe('"notes; remarks"\nfirst\n');
  });

  test('that does not fit is refused, naming the one that does', () => {
    const hint = /the header looks separated by ";": if so, set "delimiter" to ";"/;
    for (const steps of [
      {},
      { to: 'json' },
      { select: ['name'] },
      { where: [{ field: 'name', op: 'eq', value: 'Ada' }] },
    ] as Options[]) {
      expect(() => transform('name;age\nAda;36\n', { ...steps, delimiter: ',' })).toThrow(hint);
    }
    expect(() => transform('name;age\nAda;1,5\n', { delimiter: ',' })).toThrow(hint);
  });

  test('that is given is taken', () => {
    expect(transform('notes; x\na; b; c\n', { delimiter: ',', to: 'jsonl' })).toBe('{"notes; x":"a; b; c"}\n');
    expect(transform('a:b\n1:2,3\n', { delimiter: ':', select: ['b'] })).toBe('b\n2,3\n');
    expect(transform('a,b;c\n1,2;3\n', { delimiter: ';', select: ['a,b'] })).toBe('"a,b"\n1,2\n');
  });
});

describe('what is no CSV is refused with its line', () => {
  test.each([
    ['a,b\n1,2\n3\n', 'data: is not CSV: line 3 has 1 cell, the first line has 2'],
    ['a,b\n1,2,\n', 'data: is not CSV: line 2 has 3 cells, the first line has 2'],
    ['\n\na,b\n"1\n2",2\n3\n', 'line 6 has 1 cell'],
    ['a,b\r\n1\r\n', 'line 2 has 1 cell'],
    ['a,b\n1,5" pipe\n', 'line 2: invalid opening quote: a quote is found on field 1'],
    ['a,b\n1,"x\n', 'line 2: quote not closed'],
    ['a,b\n1,"x"y\n', 'line 2: invalid closing quote: got "y"'],
    ['', 'data: is empty'],
    ['\r\n\r\n', 'data: is empty'],
    ['a;b;c\n1;2\n', 'line 2 has 2 cells, the first line has 3; if the file has one column, set "delimiter" to ","'],
  ])('%j', (csv, problem) => {
    expect(() => transform(csv)).toThrow(problem);
  });
});

describe('where', () => {
  const ids = ['7', '007', '0x7', '7e0', '7.0', ' 7', '', 'seven', '70'];
  const csv = `id,n\n${ids.map((id, n) => `${id},${n}\n`).join('')}`;
  const keep = (op: string, value?: string | number | boolean | null): string[] =>
    (JSON.parse(transform(csv, { to: 'json', where: [{ field: 'id', op, value }] as never })) as { id: string }[]).map(
      ({ id }) => id,
    );

  test.each([
    ['eq', '007', ['007']],
    ['eq', '7', ['7']],
    ['eq', 7, ['7', '007', '7e0', '7.0', ' 7']],
    ['ne', '007', ['7', '0x7', '7e0', '7.0', ' 7', '', 'seven', '70']],
    ['ne', 7, ['0x7', '', 'seven', '70']],
    ['eq', '', ['']],
    ['eq', null, ['']],
    ['ne', null, ['7', '007', '0x7', '7e0', '7.0', ' 7', 'seven', '70']],
    ['exists', undefined, ['7', '007', '0x7', '7e0', '7.0', ' 7', 'seven', '70']],
    ['exists', false, ['']],
    ['contains', '07', ['007']],
    ['contains', 7, ['7', '007', '0x7', '7e0', '7.0', ' 7', '70']],
    ['gt', 7, ['70']],
    ['gte', 7, ['7', '007', '7e0', '7.0', ' 7', '70']],
    ['lt', 8, ['7', '007', '7e0', '7.0', ' 7']],
    ['lte', '8', ['7', '007', '0x7', '7e0', '7.0', ' 7']],
    ['gt', '9', ['seven', '70']],
    ['lt', -1, []],
  ] as const)('%s %j', (op, value, expected) => {
    expect(keep(op, value)).toEqual(expected);
  });

  test('compares numbers beyond 2^53 exactly', () => {
    const big = 'id\n9007199254740992\n9007199254740993\n9007199254740994\n';
    const where = (op: string, value: string | number): string =>
      transform(big, { where: [{ field: 'id', op, value }] as never });
    expect(where('eq', '9007199254740993')).toBe('id\n9007199254740993\n');
    expect(where('gt', '9007199254740992')).toBe('id\n9007199254740993\n9007199254740994\n');
    expect(where('lte', '9007199254740992')).toBe('id\n9007199254740992\n');
    expect(() => where('eq', 9007199254740992)).toThrow('where "id" eq: a number of this size may have been rounded');
    expect(where('gt', 9007199254740991)).toBe(big);
  });

  test.each([
    ['eq', undefined, 'where "id" eq: needs a "value"'],
    ['gt', null, 'null is neither less nor greater'],
    ['exists', 'yes', 'expected the value true or false'],
  ] as const)('refuses %s %j', (op, value, problem) => {
    expect(() => keep(op, value)).toThrow(problem);
  });

  test('needs all rules to hold', () => {
    const where = [
      { field: 'id', op: 'eq', value: 7 },
      { field: 'n', op: 'gt', value: 1 },
    ];
    expect(transform(csv, { where: where as never, select: ['n'] })).toBe('n\n3\n4\n5\n');
  });
});

describe('sort_by', () => {
  const sort = (cells: string[], descending = false): string[] =>
    transform(`v,i\n${cells.map((cell, i) => `${cell},${i}\n`).join('')}`, { sort_by: 'v', descending })
      .trim()
      .split('\n')
      .slice(1);

  test('orders numbers by value where all are numbers, blanks last and equals as they were', () => {
    const cells = ['10', '9', '', '9007199254740993', '9007199254740992', '-1.5', '9.0', '1e400'];
    expect(sort(cells)).toEqual([
      '-1.5,5',
      '9,1',
      '9.0,6',
      '10,0',
      '9007199254740992,4',
      '9007199254740993,3',
      '1e400,7',
      ',2',
    ]);
    expect(sort(cells, true)).toEqual([
      '1e400,7',
      '9007199254740993,3',
      '9007199254740992,4',
      '10,0',
      '9,1',
      '9.0,6',
      '-1.5,5',
      ',2',
    ]);
  });

  test('orders text by code units where one is no number', () => {
    expect(sort(['10', '9', '0x1', 'a', 'B', ''])).toEqual(['0x1,2', '10,0', '9,1', 'B,4', 'a,3', ',5']);
  });
});

describe('group_count', () => {
  test('counts texts as texts, most first, equals as they came', () => {
    expect(transform('id\n7\n007\n7.0\n007\n""\n', { group_count: 'id' })).toBe('id,count\n007,2\n7,1\n7.0,1\n,1\n');
  });

  test('works by a column that is named count', () => {
    expect(transform('count\nx\nx\n', { group_count: 'count', to: 'jsonl' })).toBe('{"count":"x","count#2":2}\n');
  });
});
