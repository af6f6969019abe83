import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidJobError } from '../../../src/errors.ts';
import { compileSchema, createResultCheck } from '../../../src/tasks/result-schema.ts';

const counts = {
  type: 'object',
  properties: { lines: { type: 'integer' } },
  required: ['lines'],
  additionalProperties: false,
};

describe('createResultCheck', () => {
  it('takes any text where no schema is given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(createResultCheck(undefined)(text)).toEqual({ value: text });
      }),
    );
  });

  it('gives back any JSON value as it was written, also inside a code fence', () => {
    const check = createResultCheck({});
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const expected = { value: JSON.parse(text) as unknown };
        expect(check(text)).toEqual(expected);
        expect(check(`\n${JSON.stringify(value, null, 2)}\n`)).toEqual(expected);
        expect(check(`\`\`\`json\n${text}\n\`\`\``)).toEqual(expected);
        expect(check(`\`\`\`\n${text}\n\`\`\``)).toEqual(expected);
      }),
    );
  });

  it.each([
    ['', /it is no JSON/],
    ['Three lines.', /it is no JSON/],
    ['{"lines":3', /it is no JSON/],
    ['Here it is: {"lines":3}', /it is no JSON/],
    ['{"lines":"3"}', /^\/lines must be integer$/],
    ['{}', /^the result must have required property 'lines'$/],
    ['[]', /^the result must be object$/],
    ['{"lines":1,"more":2}', /must NOT have additional properties/],
  ])('says what is wrong with %j', (text, problem) => {
    expect(createResultCheck(counts)(text)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('never answers with both or neither, whatever the text', () => {
    const check = createResultCheck(counts);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(Object.keys(check(text))).toHaveLength(1);
      }),
    );
  });

  it('names at most five problems', () => {
    const schema = { type: 'array', items: { type: 'integer' } };
    const answer = createResultCheck(schema)(JSON.stringify(Array.from({ length: 20 }, () => 'x')));
    expect('problem' in answer && answer.problem.split('; ')).toHaveLength(5);
  });
});

it.each([[{ type: 'colour' }], [{ properties: [] }], [{ $ref: '#/nowhere' }], [{ pattern: '[' }]])(
  'refuses %j as a schema',
  (schema) => expect(() => compileSchema(schema)).toThrow(InvalidJobError),
);

it('compiles a schema once, however many tasks have it, and forgets old ones', () => {
  const first = compileSchema({ const: 'first' });
  expect(compileSchema({ const: 'first' })).toBe(first);
  for (let i = 0; i < 16; i += 1) compileSchema({ $id: 'same', const: i });
  expect(compileSchema({ const: 'first' })).not.toBe(first);
});
