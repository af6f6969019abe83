import type { SchemaObject, ValidateFunction } from 'ajv';
import { toMessage } from '../../errors.ts';
import { DEEPEST_JSON, toJsonDepth } from '../../text/json-depth.ts';
import { describeErrors } from './describe-errors.ts';
import { compileSchema } from './dialects.ts';
import { listJsonAnswers } from './json-answers.ts';

/** What the processes of `result-check.ts` run: all work that a hostile schema or answer can make expensive. */

/** The JSON text of the result, as the model wrote it, or what is wrong, in words that the model can act on. */
export type CheckedAnswer = { json: string } | { problem: string };

/** The tasks of a batch have the same schema. The oldest goes first. */
const compiled = new Map<string, ValidateFunction>();
const MOST_COMPILED = 16;

/** @param schema as JSON. @throws InvalidJobError naming what is wrong with it */
export function compile(schema: string): void {
  toValidate(schema);
}

/** Checks an answer against a schema. The first of its JSON values that fits is the result. */
export function check({ schema, answer }: { schema: string; answer: string }): CheckedAnswer {
  const validate = toValidate(schema);
  let nearest: { json: string; problem: string } | undefined;
  for (const json of listJsonAnswers(answer)) {
    const problem = findProblem(json, validate);
    if (problem === null) return { json };
    // The longest is what the model meant: the others are numbers of footnotes and the like.
    if (problem !== undefined && json.length > (nearest?.json.length ?? -1)) nearest = { json, problem };
  }
  return { problem: nearest?.problem ?? describeText(answer.trim()) };
}

/** @returns null: it fits; undefined: it is no JSON */
function findProblem(json: string, validate: ValidateFunction): string | null | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const depth = toJsonDepth(json);
  if (depth > DEEPEST_JSON) return `the result is nested ${depth} levels deep; at most ${DEEPEST_JSON} are allowed`;
  return validate(value) ? null : describeErrors(validate.errors ?? []);
}

function describeText(text: string): string {
  try {
    JSON.parse(text);
    return 'it is no JSON';
  } catch (error) {
    return `it is no JSON (${toMessage(error)})`;
  }
}

function toValidate(schema: string): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const validate = compileSchema(JSON.parse(schema) as SchemaObject);
  const oldest = compiled.keys().next();
  if (compiled.size >= MOST_COMPILED && oldest.done !== true) compiled.delete(oldest.value);
  compiled.set(schema, validate);
  return validate;
}
