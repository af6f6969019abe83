import { InvalidJobError, toMessage } from '../../errors.ts';
import { createOffLoop } from '../../process/off-loop.ts';
import { parseExact } from '../../text/exact-json.ts';
import { describeLimit } from './describe-limit.ts';
import type { CheckedAnswer } from './schema-work.ts';

/**
 * What an answer is for a task: its result; or a problem, in words that the model can act on; or a failure, where another
 * answer would not help.
 */
export type CheckedResult = { value: unknown } | { problem: string } | { failure: string };

/** Checks the text of an answer. @throws the signal's reason */
export type ResultCheck = (answer: string, signal?: AbortSignal) => Promise<CheckedResult>;

type Schema = Record<string, unknown>;

const LIMITS = { deadlineMs: 3_000, memoryMb: 256 };
const offLoop = createOffLoop({ module: new URL('schema-work.ts', import.meta.url), memoryMb: LIMITS.memoryMb });

/** Schemas that compile, as JSON: thousands of tasks may have the same. The oldest goes first. */
const valid = new Map<string, Promise<void>>();
const MOST_VALID = 100;

/** The check of a task without a schema: any text will do. */
export const ANY_TEXT: ResultCheck = async (answer) => ({ value: answer });

/**
 * @param schema JSON Schema of the result; undefined: any text will do
 * @throws InvalidJobError if the schema is not one, or takes too much to compile
 */
export async function createResultCheck(schema: Schema | undefined): Promise<ResultCheck> {
  if (schema === undefined) return ANY_TEXT;
  await assertSchema(schema);
  return (answer, signal) => checkAnswer(schema, answer, signal);
}

/** @throws InvalidJobError naming what is wrong with the schema */
export async function assertSchema(schema: Schema): Promise<void> {
  const text = JSON.stringify(schema);
  const known = valid.get(text);
  if (known !== undefined) return known;
  const oldest = valid.keys().next();
  if (valid.size >= MOST_VALID && oldest.done !== true) valid.delete(oldest.value);
  const compiled = compile(text, schema);
  valid.set(text, compiled);
  compiled.catch(() => valid.delete(text));
  return compiled;
}

async function compile(text: string, schema: Schema): Promise<void> {
  try {
    await offLoop.run('compile', text, { deadlineMs: LIMITS.deadlineMs });
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidJobError') {
      throw new InvalidJobError(toMessage(error), { cause: error });
    }
    const limit = describeLimit(error, schema, LIMITS);
    if (limit === null) throw error;
    throw new InvalidJobError(`schema: ${limit}`, { cause: error });
  }
}

async function checkAnswer(schema: Schema, answer: string, signal?: AbortSignal): Promise<CheckedResult> {
  const input = { schema: JSON.stringify(schema), answer };
  const limits = { deadlineMs: LIMITS.deadlineMs, ...(signal === undefined ? {} : { signal }) };
  try {
    const checked = await offLoop.run<CheckedAnswer>('check', input, limits);
    return 'json' in checked ? { value: parseExact(checked.json) } : checked;
  } catch (error) {
    const limit = describeLimit(error, schema, LIMITS);
    if (limit === null) throw error;
    return { failure: limit };
  }
}
