import { afterAll, expect, it } from 'vitest';
import { InvalidJobError, UsageError } from '../../../src/errors.ts';
import { endIdleProcesses } from '../../../src/process/off-loop.ts';
import { checkTask } from '../../../src/tasks/check.ts';
import { createResultCheck } from '../../../src/tasks/schema/result-check.ts';
import { hasExactNumber, stringifyExact } from '../../../src/text/exact-json.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const EVIL = '^(a+)+$';
const evilAnswer = JSON.stringify({ x: `${'a'.repeat(40)}!` });

afterAll(endIdleProcesses);

it('takes any text where there is no schema, and keeps numbers exact where there is one', async () => {
  expect(await (await createResultCheck(undefined))('tea')).toEqual({ value: 'tea' });
  const check = await createResultCheck({ type: 'object', properties: { id: { type: 'integer' } } });
  const checked = await check('So: {"id":9007199254740993}');
  expect('value' in checked && hasExactNumber(checked.value) && stringifyExact(checked.value)).toBe(
    '{"id":9007199254740993}',
  );
  expect(await check('{"id":"7"}')).toEqual({ problem: '/id must be integer' });
});

it('gives up a hostile pattern in time, names it, and checks others meanwhile', async () => {
  const hostile = await createResultCheck({ properties: { x: { type: 'string', pattern: EVIL } } });
  const hostileNames = await createResultCheck({ patternProperties: { [EVIL]: {}, b: {} } });
  const good = await createResultCheck({ type: 'integer' });
  const [first, second, ...others] = await Promise.all([
    hostile(evilAnswer),
    hostileNames(JSON.stringify({ [`${'a'.repeat(40)}!`]: 1 })),
    ...Array.from({ length: 5 }, (_, i) => good(String(i))),
  ]);
  expect(first).toEqual({ failure: `its pattern "${EVIL}" took too long (over 3 s); give the task a simpler schema` });
  expect(second).toEqual({ failure: expect.stringContaining('one of its patterns took too long') });
  expect(others).toEqual(Array.from({ length: 5 }, (_, value) => ({ value })));
});

it('gives up a schema that calls itself without end, and one that takes too much memory', async () => {
  const endless = await createResultCheck({ $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } });
  expect(await endless('1')).toEqual({ failure: expect.stringContaining('calls itself without end') });
  const wide = await createResultCheck({
    items: { allOf: Array.from({ length: 200 }, (_, i) => ({ const: `${i}` })) },
  });
  const failure = await wide(JSON.stringify(Array.from({ length: 60_000 }, () => 0)));
  expect(failure).toEqual({ failure: expect.stringMatching(/took (more than 256 MB of memory|too long)/) });
});

it('ends with its signal', async () => {
  const check = await createResultCheck({ properties: { x: { pattern: EVIL } } });
  await expect(check(evilAnswer, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
});

/** Each `allOf` names the next one twice: 2^depth copies if they are written out. */
function double(depth: number): Record<string, unknown> {
  const names = Array.from({ length: depth }, (_, i) => `d${i}`);
  const defs = names.map((name, i) => [
    name,
    { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
  ]);
  return { $ref: '#/$defs/d0', $defs: { ...Object.fromEntries(defs), [`d${depth}`]: { type: 'object' } } };
}

it.each<[string, Record<string, unknown>]>([
  ['an exponential allOf', double(40)],
  ['a large enum', { enum: Array.from({ length: 20_000 }, (_, i) => `value ${i}`) }],
  [
    'many properties',
    {
      properties: Object.fromEntries(
        Array.from({ length: 4_000 }, (_, i) => [`p${i}`, { type: 'string', minLength: i }]),
      ),
    },
  ],
  ['a deep one', JSON.parse(`${'{"items":'.repeat(250)}{}${'}'.repeat(250)}`) as Record<string, unknown>],
  ['a pattern that is large to compile', { pattern: `^(?:${'a{1,1000}'.repeat(300)}){1,1000}$` }],
])('compiles or refuses %s, and goes on', async (_, schema) => {
  const made = await createResultCheck(schema).catch((error: unknown) => error);
  if (made instanceof Error) expect(made).toBeInstanceOf(InvalidJobError);
  expect(await (await createResultCheck({ type: 'integer' }))('7')).toEqual({ value: 7 });
});

it('refuses a task whose schema is none', async () => {
  const known = { workspaces: null, contexts: new Set<string>(), catalog: createCatalog([]) };
  const added = checkTask({ description: 'x', schema: { type: 'colour' } }, known);
  await expect(added).rejects.toThrow(UsageError);
  await expect(added).rejects.toThrow(/^schema: expected a JSON Schema/);
});

it.each(['constructor', 'toString', 'hasOwnProperty'])(
  'takes a result to have %s only where it says so',
  async (name) => {
    for (const $schema of ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-04/schema#']) {
      const properties = { [name]: { type: 'string' } };
      const optional = await createResultCheck({ $schema, type: 'object', properties });
      expect(await optional('{}')).toEqual({ value: {} });
      expect(await optional(`{"${name}":1}`)).toEqual({ problem: `/${name} must be string` });
      const required = await createResultCheck({ $schema, type: 'object', required: [name] });
      expect(await required('{}')).toEqual({ problem: `the result must have required property '${name}'` });
    }
  },
);
