import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readArguments } from '../../../src/haiku/tools/read-arguments.ts';

const schema = z.strictObject({
  text: z.string().optional(),
  lines: z.array(z.int()).length(2).optional(),
  names: z.array(z.string()).optional(),
  all: z.boolean().optional(),
  most: z.int().min(0).optional(),
  share: z.number().optional(),
  where: z.array(z.strictObject({ field: z.string(), most: z.int().optional() })).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  to: z.enum(['csv', 'json']).optional(),
  value: z.union([z.string(), z.number(), z.null()]).optional(),
});

it('reads any arguments that came as JSON texts, at any depth, as if they had come as they are', () => {
  const plain = fc.record(
    {
      text: fc.oneof(fc.string(), fc.json()),
      lines: fc.tuple(fc.integer(), fc.integer()),
      names: fc.array(fc.oneof(fc.string(), fc.json())),
      all: fc.boolean(),
      most: fc.nat(),
      share: fc.double({ noNaN: true, noDefaultInfinity: true }).map((share) => share + 0),
      where: fc.array(fc.record({ field: fc.json(), most: fc.nat() })),
      headers: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string()),
      value: fc.oneof(fc.json(), fc.integer(), fc.constant(null)),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      plain,
      fc.array(fc.constantFrom('lines', 'names', 'all', 'most', 'share', 'where', 'headers')),
      (input, asText) => {
        const sent = Object.entries(input).map(([name, value]) => [
          name,
          asText.includes(name as 'all') ? JSON.stringify(value) : value,
        ]);
        expect(readArguments(schema, Object.fromEntries(sent))).toEqual(JSON.parse(JSON.stringify(input)));
        expect(readArguments(schema, input)).toEqual(input);
      },
    ),
  );
});

it.each<[string, unknown, unknown]>([
  ['a list', { lines: '[1,2]' }, { lines: [1, 2] }],
  ['a list with spaces around it', { lines: ' [ 1, 2 ]\n' }, { lines: [1, 2] }],
  ['a list whose items are texts', { lines: '["1","2"]' }, { lines: [1, 2] }],
  ['items as texts', { lines: ['1', '2'] }, { lines: [1, 2] }],
  ['a boolean', { all: 'true' }, { all: true }],
  ["Python's boolean", { all: 'False' }, { all: false }],
  ['a number', { most: '5', share: '0.5' }, { most: 5, share: 0.5 }],
  ['an object inside a list', { where: ['{"field":"a","most":"3"}'] }, { where: [{ field: 'a', most: 3 }] }],
  ['all of them', '{"most":"5"}', { most: 5 }],
  [
    'null for what is left out',
    { text: null, to: null, lines: null, most: null, where: [{ field: 'a', most: null }] },
    { where: [{ field: 'a' }] },
  ],
  ['"null" for what is left out', { most: 'null' }, {}],
  ['a null that is wanted', { value: null }, { value: null }],
  ['a text that looks like a list', { text: '[1,2]', names: ['true', '5'] }, { text: '[1,2]', names: ['true', '5'] }],
])('reads %s', (_, input, read) => expect(readArguments(schema, input)).toEqual(read));

it.each<[string, unknown]>([
  ['a text that is no JSON', { lines: '1,2' }],
  ['a list of another length', { lines: '[1,2,3]' }],
  ['another type', { lines: '{"a":1}', all: '1' }],
  ['a fraction for a whole number', { most: '1.5' }],
  ['an unknown field', { colour: '5' }],
  ['a null that is needed', { where: [{ field: null }] }],
  ['a text that is too deep', { names: '['.repeat(100_000) }],
  ['a name that every object has', JSON.parse('{"__proto__":{"most":"5"}}')],
])('refuses %s, with what was wrong with the input as it came', (_, input) => {
  const plain = schema.safeParse(input);
  expect(plain.success).toBe(false);
  expect(() => readArguments(schema, input)).toThrow(z.ZodError);
  expect(() => readArguments(schema, input)).toThrow(plain.error?.message);
});

it('reads tens of thousands of wrong arguments in linear time', () => {
  const many = <T>(value: T): [string, T][] => Array.from({ length: 30_000 }, (_, i) => [`k${i}`, value]);
  const where = many(0).map(() => '{"field":"a"}');
  expect(readArguments(schema, { headers: Object.fromEntries(many(null)), where })).toEqual({
    headers: {},
    where: where.map(() => ({ field: 'a' })),
  });
  expect(() => readArguments(schema, { lines: `"${String.raw`\"`.repeat(200_000)}` })).toThrow(/array/);
});
