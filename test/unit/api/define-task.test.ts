import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ResultMismatchError, UsageError } from '../../../src/errors.ts';
import { check } from '../../../src/tasks/schema/schema-work.ts';
import { defineTask, isTypedTask, toResultParser, toTaskInput } from '../../../src/api/given/define-task.ts';

/** A typed task that answers with `output`. */
const answering = <Output extends z.ZodType>(output: Output) =>
  defineTask({ name: 'ask', input: z.string().default('x'), output, prompt: (text) => text });

const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));

describe('the schema of a typed task', () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ['a text', z.string(), '"tea"', '1'],
    ['an enum', z.enum(['tea', 'milk']), '"tea"', '"wine"'],
    ['a whole number in a range', z.int().min(1).max(5), '5', '6'],
    ['a tuple', z.tuple([z.string(), z.int()]), '["a",1]', '["a","b"]'],
    ['a record', z.record(z.string(), z.number()), '{"a":1}', '{"a":"1"}'],
    ['a union', z.union([z.literal('none'), z.object({ a: z.int() })]), '"none"', '{"a":"x"}'],
    ['a nullable one', z.string().nullable(), 'null', '1'],
    ['a recursive one', tree, '{"name":"a","children":[{"name":"b","children":[]}]}', '{"name":"a","children":[{}]}'],
    [
      'an address',
      z.object({ mail: z.email(), page: z.url() }),
      '{"mail":"a@b.de","page":"https://b.de"}',
      '{"mail":1}',
    ],
    ['a pattern', z.string().regex(/^[a-z]+$/), '"abc"', '"ABC"'],
    ['a strict object', z.strictObject({ a: z.int() }), '{"a":1}', '{"a":1,"b":2}'],
    ['a key left out for its default', z.object({ a: z.int(), b: z.string().default('b') }), '{"a":1}', '{"b":"b"}'],
  ])('lets the worker check %s as the caller does', (_, output, good, bad) => {
    const task = answering(output);
    const { schema } = toTaskInput(task, 'x');
    const byWorker = (answer: unknown) => check({ schema: JSON.stringify(schema), answer: String(answer) });
    expect(byWorker(good)).toHaveProperty('json');
    expect(byWorker(bad)).toHaveProperty('problem');
    expect(() => toResultParser(task)(JSON.parse(String(good)), 'finding_1')).not.toThrow();
    expect(() => toResultParser(task)(JSON.parse(String(bad)), 'finding_1')).toThrow(ResultMismatchError);
    expect(new Ajv({ strict: false, validateFormats: false }).validateSchema(schema ?? false)).toBe(true);
  });

  it.each<[string, z.ZodType]>([
    ['a date', z.object({ at: z.date() })],
    ['a map', z.map(z.string(), z.int())],
    ['a big integer', z.bigint()],
    ['nothing', z.undefined()],
  ])('cannot be made for %s', (_, output) => {
    expect(() => toTaskInput(answering(output), 'x')).toThrow(UsageError);
    expect(() => toTaskInput(answering(output), 'x')).toThrow(/^task ask: its output cannot be said in JSON Schema/);
  });
});

it('hands the parsed input on, and keeps the name among the topics once', () => {
  const task = defineTask({
    name: 'measure',
    input: z.object({ file: z.string().trim(), times: z.int().default(2) }),
    output: z.string(),
    prompt: ({ file, times }) => `Measure ${file} ${times} times`,
    task: ({ file }) => ({ files: [file], topics: ['length', 'measure'] }),
  });
  expect(toTaskInput(task, { file: ' a.ts ' })).toMatchObject({
    description: 'Measure a.ts 2 times',
    files: ['a.ts'],
    topics: ['measure', 'length'],
    schema: { type: 'string' },
  });
});

it('applies what the output changes to the typed result', () => {
  const task = answering(z.object({ lines: z.string().transform(Number) }));
  expect(toResultParser(task)({ lines: '3' }, 'finding_1')).toEqual({ lines: 3 });
  expect(toResultParser(null)('anything', 'finding_1')).toBe('anything');
});

it('tells a typed task from a task', () => {
  expect(isTypedTask(answering(z.string()))).toBe(true);
  for (const other of [{ description: 'x' }, null, 'x', undefined, []]) expect(isTypedTask(other)).toBe(false);
});
