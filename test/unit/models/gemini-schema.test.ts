import { expect, it } from 'vitest';
import { z } from 'zod';
import { findServedGemini } from '../../../simulator/gemini/api/served-models.ts';
import { readContentRequest } from '../../../simulator/gemini/validate/content-request.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { toGeminiSchema } from '../../../src/models/gemini/schema.ts';

it('keeps what the API knows of a JSON Schema and leaves out the rest', () => {
  const schema = z.toJSONSchema(
    z.strictObject({
      answer: z.string().min(1).describe('with ids'),
      citations: z.array(z.string()).max(50),
      sure: z.boolean().nullable(),
      level: z.enum(['low', 'high']).optional(),
    }),
  );
  expect(toGeminiSchema(schema)).toEqual({
    type: 'OBJECT',
    properties: {
      answer: { type: 'STRING', minLength: 1, description: 'with ids' },
      citations: { type: 'ARRAY', maxItems: 50, items: { type: 'STRING' } },
      sure: { type: 'BOOLEAN', nullable: true },
      level: { type: 'STRING', enum: ['low', 'high'] },
    },
    propertyOrdering: ['answer', 'citations', 'sure', 'level'],
    required: ['answer', 'citations', 'sure'],
  });
});

it('writes a type or null as a nullable one', () => {
  expect(toGeminiSchema({ type: ['string', 'null'] })).toEqual({ type: 'STRING', nullable: true });
});

it.each([
  [
    'an object of any names as text',
    { type: 'object', additionalProperties: { type: 'string' }, description: 'headers' },
    { type: 'STRING', description: 'headers (JSON, as text)' },
  ],
  ['anything as text', {}, { type: 'STRING', description: 'JSON, as text' }],
  [
    'several types as a choice',
    { type: ['string', 'number', 'null'] },
    { nullable: true, anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] },
  ],
  ['a constant as a list of one', { const: 'x' }, { type: 'STRING', enum: ['x'] }],
  ['numbers to choose from as numbers', { type: 'integer', enum: [1, 2] }, { type: 'INTEGER' }],
  [
    'a list of anything as a list of texts',
    { type: 'array' },
    { type: 'ARRAY', items: { type: 'STRING', description: 'JSON, as text' } },
  ],
  ['formats that it knows alone', { type: 'string', format: 'uri', pattern: '^h' }, { type: 'STRING', pattern: '^h' }],
  [
    'what another type would have not at all',
    { type: 'string', properties: { a: {} }, items: {}, minimum: 3 },
    { type: 'STRING' },
  ],
  [
    'required names that it has',
    { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b'] },
    { type: 'OBJECT', properties: { a: { type: 'STRING' } }, propertyOrdering: ['a'], required: ['a'] },
  ],
  ['a reference as what it names', { $defs: { n: { type: 'number' } }, $ref: '#/$defs/n' }, { type: 'NUMBER' }],
  ['parts that all hold as one', { allOf: [{ type: 'string' }, { minLength: 2 }] }, { type: 'STRING', minLength: 2 }],
])('writes %s', (_what, schema, expected) => {
  expect(toGeminiSchema(schema)).toEqual(expected);
});

it('writes a schema that refers to itself a few times, and then as text', () => {
  const tree = {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
  };
  const text = JSON.stringify(toGeminiSchema(tree));
  expect(text.match(/"children"/g)?.length).toBeLessThan(12);
  expect(text).toContain('JSON, as text');
});

it('writes the schemas of the workers’ tools so that the API takes them', () => {
  const { definitions } = createToolset({
    workspace: true,
    runAllow: ['ls'],
    httpAllow: ['example.com'],
    archive: true,
    otherSwarms: true,
    peers: true,
  });
  for (const { name, description, input_schema: schema } of definitions) {
    const parameters = toGeminiSchema(schema);
    const body = {
      contents: [{ parts: [{ text: 'hi' }] }],
      tools: [{ functionDeclarations: [{ name, description, parameters }] }],
    };
    expect(() => readContentRequest(body, findServedGemini('gemini-3.5-flash-lite')), name).not.toThrow();
  }
});
