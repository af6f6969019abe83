import { Ajv, type ValidateFunction } from 'ajv';
import { InvalidJobError, toMessage } from '../errors.ts';

/** Checks a task's result: the parsed value, or what is wrong with it in words the model can act on. */
export type ResultCheck = (text: string) => { value: unknown } | { problem: string };

/**
 * @param schema JSON Schema of the result; undefined: any text will do
 * @throws InvalidJobError if the schema is not one
 */
export function createResultCheck(schema: Record<string, unknown> | undefined): ResultCheck {
  if (schema === undefined) return (text) => ({ value: text });
  const validate = compileSchema(schema);
  return (text) => {
    const parsed = parseJson(text);
    if ('problem' in parsed) return parsed;
    if (validate(parsed.value)) return parsed;
    const problems = (validate.errors ?? [])
      .slice(0, 5)
      .map((e) => `${e.instancePath || 'the result'} ${e.message ?? ''}`);
    return { problem: problems.join('; ') };
  };
}

/** Compiling takes some ten milliseconds, and the tasks of a batch have the same schema. The oldest goes first. */
const compiled = new Map<string, ValidateFunction>();
const MOST_COMPILED = 16;

/** @throws InvalidJobError naming what is wrong with the schema */
export function compileSchema(schema: Record<string, unknown>): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  try {
    // One Ajv each: two schemas may give themselves the same `$id`.
    const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
    const oldest = compiled.keys().next();
    if (compiled.size >= MOST_COMPILED && oldest.done !== true) compiled.delete(oldest.value);
    compiled.set(text, validate);
    return validate;
  } catch (error) {
    throw new InvalidJobError(`schema: expected a JSON Schema, got ${toMessage(error)}`, { cause: error });
  }
}

function parseJson(text: string): { value: unknown } | { problem: string } {
  const bare = text
    .trim()
    .replace(/^```(?:json)?\s*\n/, '')
    .replace(/\n```$/, '');
  try {
    return { value: JSON.parse(bare) as unknown };
  } catch (error) {
    return { problem: `it is no JSON (${toMessage(error)})` };
  }
}
