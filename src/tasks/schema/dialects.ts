import { createRequire } from 'node:module';
import { Ajv, type SchemaObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import Draft04 from 'ajv-draft-04';
import { InvalidJobError, toMessage } from '../../errors.ts';
import { multipleOfKeyword } from './multiple-of.ts';
import { regExpEngine } from './patterns.ts';

/**
 * `format` is an annotation: a result is never refused for it. Unknown keywords are ignored. Nothing is fetched: a `$ref`
 * leads to the schema itself or to the dialects' own.
 */
const OPTIONS: Options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false,
  ownProperties: true, // else each result has a `constructor` and a `toString`
  code: { regExp: regExpEngine },
};

type Validator = Pick<Ajv, 'compile' | 'removeKeyword' | 'addKeyword' | 'removeSchema'>;

/** Newest first. */
const DIALECTS: Record<string, () => Validator> = {
  '2020-12': () => new Ajv2020(OPTIONS),
  '2019-09': () => new Ajv2019(OPTIONS),
  'draft-07': () => new Ajv(OPTIONS),
  'draft-06': () => new Ajv({ ...OPTIONS, meta: readDraft06(), defaultMeta: 'http://json-schema.org/draft-06/schema' }),
  'draft-04': () => new Draft04.default(OPTIONS),
};
const NAMES = Object.keys(DIALECTS);
const opened = new Map<string, Validator>();

/**
 * Compiles a schema by the dialect that its `$schema` names. Without one, the newest in which it is valid reads it: a list
 * in `items`, for example, is valid up to 2019-09 only.
 * @throws InvalidJobError naming what is wrong with the schema
 */
export function compileSchema(schema: SchemaObject): ValidateFunction {
  const { $schema, $async: _async, ...rest } = schema; // Ajv's own: its checks would answer with promises
  const names = $schema === undefined ? NAMES : [toDialect($schema)];
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      return compileIn(name, rest);
    } catch (error) {
      errors.push(error);
    }
  }
  throw new InvalidJobError(`schema: expected a JSON Schema, got ${toProblem(errors[0])}`, { cause: errors[0] });
}

function compileIn(dialect: string, schema: SchemaObject): ValidateFunction {
  const ajv = open(dialect);
  try {
    return ajv.compile(schema);
  } finally {
    ajv.removeSchema(); // another schema may give itself the same `$id`
  }
}

/** Opened once, because to compile the dialect's own schema takes longer than most schemas. */
function open(dialect: string): Validator {
  const known = opened.get(dialect);
  if (known !== undefined) return known;
  const ajv = DIALECTS[dialect]?.();
  if (ajv === undefined) throw new TypeError(`dialect: expected one of ${NAMES.join(', ')}, got ${dialect}`);
  ajv.removeKeyword('multipleOf');
  ajv.addKeyword(multipleOfKeyword);
  opened.set(dialect, ajv);
  return ajv;
}

function toDialect(named: unknown): string {
  const [, name] = /^https?:\/\/json-schema\.org\/(?:draft\/)?([^/]+)\/schema#?$/.exec(String(named)) ?? [];
  if (name !== undefined && Object.hasOwn(DIALECTS, name)) return name;
  throw new InvalidJobError(
    `schema: $schema: expected the address of ${NAMES.join(', ')}, or nothing, got ${JSON.stringify(named)}`,
  );
}

function toProblem(error: unknown): string {
  const message = toMessage(error);
  return /^can't resolve reference https?:/.test(message) ? `${message}: a remote $ref is not fetched` : message;
}

function readDraft06(): SchemaObject {
  return createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json') as SchemaObject;
}
