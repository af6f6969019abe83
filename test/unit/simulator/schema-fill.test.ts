import { expect, it } from 'vitest';
import { fillSchema, fitsSchema } from '../../../simulator/model/schema-fill.ts';

const values = {
  path: 'src/a.ts',
  lines: 12,
  count: 3,
  exports: ['a', 'b'],
  files: ['src/a.ts', 'src/b.ts'],
  summary: 'Two functions.',
  ok: true,
  items: [
    { path: 'src/a.ts', lines: 12 },
    { path: 'src/b.ts', lines: 4 },
  ],
};
const object = (properties: object, rest: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...rest,
});

it.each([
  [
    'by name',
    object({ lines: { type: 'integer' }, exports: { type: 'array', items: { type: 'string' } } }),
    { lines: 12, exports: ['a', 'b'] },
  ],
  [
    'by synonym and case',
    object({ lineCount: { type: 'number' }, fileName: { type: 'string' } }),
    { lineCount: 12, fileName: 'src/a.ts' },
  ],
  [
    'objects in lists',
    object({ results: { type: 'array', items: object({ path: { type: 'string' }, lines: { type: 'integer' } }) } }),
    { results: values.items },
  ],
  [
    'optional ones only where known',
    { type: 'object', properties: { count: { type: 'integer' }, colour: { type: 'string' } } },
    { count: 3 },
  ],
  [
    'constants and choices',
    object({ kind: { const: 'x' }, level: { enum: ['low', 'high'] } }),
    { kind: 'x', level: 'low' },
  ],
  [
    'within bounds',
    object({ count: { type: 'integer', minimum: 10 }, summary: { type: 'string', maxLength: 3 } }),
    { count: 10, summary: 'Two' },
  ],
  [
    'through references',
    { ...object({ lines: { $ref: '#/$defs/n' } }), $defs: { n: { type: 'integer' } } },
    { lines: 12 },
  ],
  [
    'the non-null of two types',
    object({ lines: { type: ['null', 'integer'] }, path: { anyOf: [{ type: 'null' }, { type: 'string' }] } }),
    { lines: 12, path: 'src/a.ts' },
  ],
  ['a list of the wanted length', { type: 'array', items: { type: 'boolean' }, minItems: 2 }, [false, false]],
  ['a bare text', { type: 'string' }, ''],
])('fills %s', (_name, schema, expected) => {
  const filled = fillSchema(schema, values);
  expect(filled).toEqual(expected);
  expect(fitsSchema(schema, filled)).toBe(true);
});

it('lets a true value go where it breaks the rules of its property', () => {
  const schema = object({ path: { type: 'string', pattern: '^$' } });
  expect(fillSchema(schema, values)).toEqual({ path: '' });
});

it('ends on a schema that refers to itself', () => {
  const schema = {
    ...object({ node: { $ref: '#/$defs/node' } }),
    $defs: { node: { type: 'object', properties: { node: { $ref: '#/$defs/node' } }, required: ['node'] } },
  };
  expect(fillSchema(schema, {})).toHaveProperty('node.node');
});
