import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidJobError } from '../../../../src/errors.ts';
import { check, compile, type CheckedAnswer } from '../../../../src/tasks/schema/schema-work.ts';

const DRAFT_04 = 'http://json-schema.org/draft-04/schema#';
const DRAFT_06 = 'http://json-schema.org/draft-06/schema#';
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';
const D2019 = 'https://json-schema.org/draft/2019-09/schema';
const D2020 = 'https://json-schema.org/draft/2020-12/schema';

const counts = {
  type: 'object',
  properties: { lines: { type: 'integer' } },
  required: ['lines'],
  additionalProperties: false,
};

function checkBy(schema: unknown, answer: string): CheckedAnswer {
  return check({ schema: JSON.stringify(schema), answer });
}

/** Whether a value fits. */
function fits(schema: unknown, value: unknown): boolean {
  return 'json' in checkBy(schema, JSON.stringify(value));
}

describe('the answer', () => {
  it('may be any JSON value, also with prose or a code fence around it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const pretty = JSON.stringify(value, null, 2);
        expect(checkBy({}, json)).toEqual({ json });
        expect(checkBy({}, `\n${pretty}\n`)).toEqual({ json: pretty });
        expect(checkBy({}, `\`\`\`json\n${json}\n\`\`\``)).toEqual({ json });
        expect(checkBy({}, `Here it is:\n\`\`\`\n${pretty}\n\`\`\`\nThat is all.`)).toEqual({ json: pretty });
        if (typeof value !== 'object' || value === null) return;
        expect(checkBy({}, `The result is ${json}. Done.`)).toEqual({ json });
      }),
    );
  });

  it.each([
    ['prose with braces before it', 'As {note} and [see 3] say: {"lines":3}', '{"lines":3}'],
    ['a footnote before it', 'By [1], [2, 3] and {}: {"lines":3}.', '{"lines":3}'],
    ['braces in its texts', 'x {"lines":3,"t":"} ] {\\" ["} y', '{"lines":3,"t":"} ] {\\" ["}'],
    ['a stray quote before it', 'The ["a pattern is wrong: {"lines":3}', '{"lines":3}'],
    ['a half-open interval before it', 'In [0, 5) and [0,1) it is {"lines":3}', '{"lines":3}'],
    ['a wrong one before it', '{"lines":"3"} is wrong, so: {"lines":3}', '{"lines":3}'],
    ['a right one after it', '{"lines":3}\nEarlier: {"lines":4}', '{"lines":3}'],
    ['a broken one before it', '{"lines":3,} or rather {"lines":4}', '{"lines":4}'],
    ['a fence in the middle', 'So:\n```json\n{"lines":3}\n```\nand {"lines":9}', '{"lines":3}'],
    ['a fence of something else', '```ts\nconst a = {};\n```\n```json\n{"lines":3}\n```', '{"lines":3}'],
    ['an indented fence', 'So:\n   ```json\n   {"lines":3}\n   ```', '{"lines":3}'],
    ['a byte order mark', '\uFEFF{"lines":3}', '{"lines":3}'],
    ['line breaks of Windows', '```json\r\n{"lines":\r\n3}\r\n```', '{"lines":\r\n3}'],
  ])('is found with %s', (_, answer, json) => {
    const schema = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] };
    expect(checkBy(schema, answer)).toEqual({ json });
  });

  it.each([
    ['nothing', '', /^it is no JSON \(/],
    ['prose', 'Three lines.', /^it is no JSON \(/],
    ['a cut one', '{"lines":3', /^it is no JSON \(/],
    ['a cut list of right ones', '[{"lines":3},{"lines":4},{"li', /^it is no JSON \(/],
    ['a list with a comma too many, of right ones', '[{"lines":3},{"lines":4},]', /^it is no JSON \(/],
    ['a right one inside another', '{"a":{"lines":3}}', /^the result must have required property 'lines'/],
    ['comments', '{"lines":3 /* three */}', /^it is no JSON \(/],
    ['single quotes', "{'lines':3}", /^it is no JSON \(/],
    ['a wrong value', '{"lines":"3"}', /^\/lines must be integer$/],
    ['a wrong value after footnotes', 'By [1] and [2]: {"lines":"3"}', /^\/lines must be integer$/],
    ['a value too many', '{"lines":1,"more":2}', /^the result must NOT have additional properties: "more"$/],
    ['another kind', '[]', /^the result must be object$/],
  ])('is not found in %s', (_, answer, problem) => {
    expect(checkBy(counts, answer)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it.each(['[0,1)', '{"a":1,', '["', '[', '{"a":', '```\n', '{"a" ', '[1 '])(
    'is sought in %j twenty thousand times',
    (part) => {
      expect(checkBy(counts, `${part.repeat(20_000)} {"lines":3}`)).toSatisfy(
        (checked: object) => Object.keys(checked).length === 1,
      );
      expect(checkBy(counts, part.repeat(20_000))).toHaveProperty('problem');
    },
  );

  it('is one of the two, whatever the text', () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[[\]{}",:a1 \n`]*$/));
    fc.assert(
      fc.property(text, (answer) => {
        const checked = checkBy(counts, answer);
        expect(Object.keys(checked)).toHaveLength(1);
        if ('json' in checked) expect(JSON.parse(checked.json)).toHaveProperty('lines');
      }),
    );
  });

  it('is refused where it is nested too deep for what reads findings', () => {
    expect(checkBy({}, '['.repeat(256) + ']'.repeat(256))).toHaveProperty('json');
    const deep = '['.repeat(5_000) + ']'.repeat(5_000);
    expect(checkBy({}, deep)).toEqual({ problem: expect.stringContaining('5000 levels deep; at most 256') });
    expect(checkBy({}, `{"a":${deep}}`)).toEqual({ problem: expect.stringContaining('5001 levels deep') });
  });

  it('names at most five problems, each with its place', () => {
    const schema = { type: 'array', items: { type: 'object', properties: { 'a/b': { enum: ['x', 'y'] } } } };
    const checked = checkBy(schema, JSON.stringify(Array.from({ length: 20 }, () => ({ 'a/b': 'z' }))));
    const problems = 'problem' in checked ? checked.problem.split('; ') : [];
    expect(problems).toHaveLength(5);
    expect(problems[4]).toBe('/4/a~1b must be equal to one of the allowed values: "x", "y"');
  });
});

describe('the dialect', () => {
  it.each<[string, object, unknown, unknown]>([
    ['items as a list', { $schema: DRAFT_04, items: [{ type: 'string' }], additionalItems: false }, ['a'], ['a', 1]],
    ['an exclusive bound as a word', { $schema: DRAFT_04, minimum: 1, exclusiveMinimum: true }, 2, 1],
    ['id', { $schema: DRAFT_04, id: 'urn:x:a', definitions: { b: { id: '#b', type: 'null' } }, $ref: '#b' }, null, 1],
    ['const', { $schema: DRAFT_06, const: 1 }, 1, 2],
    ['contains', { $schema: DRAFT_06, contains: { const: 1 } }, [1], [2]],
    ['if', { $schema: DRAFT_07, if: { const: 1 }, else: { const: 2 } }, 1, 3],
    ['dependencies', { $schema: DRAFT_07, dependencies: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
    ['dependentRequired', { $schema: D2019, dependentRequired: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
    ['minContains', { $schema: D2019, contains: { const: 1 }, minContains: 2 }, [1, 1], [1]],
    [
      'unevaluatedProperties',
      { $schema: D2019, allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
      { a: 1 },
      { b: 1 },
    ],
    ['unevaluatedItems', { $schema: D2019, items: [{}], unevaluatedItems: false }, [1], [1, 2]],
    ['prefixItems', { $schema: D2020, prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 'b']],
    ['dependentSchemas', { $schema: D2020, dependentSchemas: { a: { required: ['b'] } } }, { a: 1, b: 1 }, { a: 1 }],
    ['an anchor', { $schema: D2020, $defs: { b: { $anchor: 'b', type: 'null' } }, $ref: '#b' }, null, 1],
    ['a tuple, unnamed', { items: [{ type: 'string' }], additionalItems: false }, ['a'], ['a', 1]],
    ['prefixItems, unnamed', { prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 'b']],
    ['an exclusive bound as a word, unnamed', { minimum: 1, exclusiveMinimum: true }, 2, 1],
    ['dependencies, unnamed', { dependencies: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
    ['nullable', { type: 'string', nullable: true }, null, 1],
    [
      'itself',
      { properties: { next: { $ref: '#' } }, additionalProperties: false },
      { next: { next: {} } },
      { next: { a: 1 } },
    ],
  ])('honours %s', (_, schema, good, bad) => {
    expect(fits(schema, good)).toBe(true);
    expect(fits(schema, bad)).toBe(false);
  });

  it.each(['http://json-schema.org/draft-07/schema', 'https://json-schema.org/draft-07/schema#', D2020, `${D2020}#`])(
    'may be named %s',
    ($schema) => expect(fits({ $schema, type: 'string' }, 'a')).toBe(true),
  );

  it("reads zod's own output", () => {
    const schema = z.toJSONSchema(z.object({ at: z.tuple([z.int(), z.int()]), kind: z.literal('a') }));
    expect(schema.$schema).toBe(D2020);
    expect(fits(schema, { at: [1, 2], kind: 'a' })).toBe(true);
    expect(fits(schema, { at: [1, 2, 3], kind: 'a' })).toBe(false);
  });

  it.each([
    [{ type: 'colour' }, /^schema: expected a JSON Schema, got /],
    [{ properties: [] }, /expected a JSON Schema/],
    [{ $ref: '#/nowhere' }, /resolve reference #\/nowhere/],
    [{ pattern: '[' }, /Invalid regular expression/],
    [{ pattern: '\\Aa\\Z' }, /Invalid regular expression/],
    [{ $ref: 'https://example.com/a.json' }, /a remote \$ref is not fetched/],
    [{ $ref: 'other.json#/a' }, /resolve reference other.json/],
    [
      { $schema: 'http://json-schema.org/draft-03/schema#' },
      /\$schema: expected the address of 2020-12, 2019-09, draft-07, draft-06, draft-04/,
    ],
    [{ $schema: 'https://example.com/own' }, /\$schema: expected the address of/],
    [{ $schema: 7 }, /\$schema: expected .*, got 7/],
    [{ $schema: DRAFT_07, type: 'colour' }, /expected a JSON Schema/],
  ])('refuses %j', (schema, rule) => {
    expect(() => compile(JSON.stringify(schema))).toThrow(InvalidJobError);
    expect(() => compile(JSON.stringify(schema))).toThrow(rule);
  });

  it('takes two schemas of one name, and one that Ajv would run asynchronously', () => {
    expect(fits({ $id: 'urn:same', const: 1 }, 1)).toBe(true);
    expect(fits({ $id: 'urn:same', const: 2 }, 1)).toBe(false);
    expect(fits({ $async: true, const: 2 }, 1)).toBe(false);
  });

  it('takes format as a note', () => {
    expect(fits({ type: 'string', format: 'date-time' }, 'soon')).toBe(true);
    expect(fits({ type: 'string', format: 'unheard-of' }, 'soon')).toBe(true);
  });

  it.each([
    ['^\\d{3}\\-\\d{4}$', '555-1234', '5551234'],
    ['^[\\w-.]+\\@[a-z]+$', 'a-b.c@d', 'a b@d'],
    ['^{.*}$', '{a}', 'a'],
    ['^\\p{Lu}$', 'É', 'é'],
  ])('reads the pattern %s as it was meant', (pattern, good, bad) => {
    expect(fits({ pattern }, good)).toBe(true);
    expect(fits({ pattern }, bad)).toBe(false);
  });
});
