import { z } from 'zod';
import type { TaskInput } from '../../../queues/tasks.ts';
import { ResultMismatchError, toMessage, UsageError } from '../../errors.ts';
import { toRules } from '../../jobs/contract.ts';
import { toRounded } from '../../text/exact-json.ts';
import { assertOptions, namesOf } from './options.ts';

/** A task with a typed input and a typed result. */
export interface TypedTask<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** Also the topic of its findings: `fleet findings --grep`. */
  name: string;
  input: Input;
  /** Schema of the result. The model gets it as JSON Schema; the worker validates the result and has it repaired once. */
  output: Output;
  /** Returns the description for the worker. */
  prompt: (input: z.output<Input>) => string;
  /** Returns the other fields of the task, such as workspace, files, model and budget. */
  task?: (input: z.output<Input>) => Omit<TaskInput, 'description' | 'schema'>;
}

const TYPED = namesOf<TypedTask>({ name: true, input: true, output: true, prompt: true, task: true });

/** Defines a task with its types: `fleet.tasks.add(countLines, { file: 'a.ts' })` then has a typed `result()`. */
export function defineTask<Input extends z.ZodType, Output extends z.ZodType>(
  task: TypedTask<Input, Output>,
): TypedTask<Input, Output> {
  assertOptions('defineTask', task, TYPED);
  return task;
}

/** @throws UsageError when the input breaks the task's own schema */
export function toTaskInput<Input extends z.ZodType, Output extends z.ZodType>(
  typed: TypedTask<Input, Output>,
  input: z.input<Input>,
): TaskInput {
  const parsed = typed.input.safeParse(input);
  if (!parsed.success) throw new UsageError(`task ${typed.name}: ${toRules(parsed.error)}`);
  const rest = typed.task?.(parsed.data) ?? {};
  return {
    ...rest,
    topics: [...new Set([typed.name, ...(rest.topics ?? [])])],
    description: typed.prompt(parsed.data),
    schema: toSchema(typed),
  };
}

/** Returns a function that parses a finding's result. @param typed null: any result is returned as it is */
export function toResultParser(typed: TypedTask | null): (value: unknown, findingId: string) => unknown {
  if (typed === null) return (value) => value;
  return (value, findingId) => {
    const parsed = typed.output.safeParse(toRounded(value));
    if (parsed.success) return parsed.data;
    throw new ResultMismatchError(
      findingId,
      `task ${typed.name}: the result of ${findingId} does not fit its output: ${toRules(parsed.error)}`,
      { cause: parsed.error },
    );
  };
}

/**
 * The output as JSON Schema of draft 7, by which the worker validates: later drafts differ, for example in tuples.
 * @throws UsageError for an output that JSON Schema cannot express
 */
function toSchema({ name, output }: TypedTask): NonNullable<TaskInput['schema']> {
  try {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(output, { io: 'input', target: 'draft-7' });
    return JSON.parse(JSON.stringify(schema)) as NonNullable<TaskInput['schema']>;
  } catch (error) {
    throw new UsageError(`task ${name}: its output cannot be said in JSON Schema (${toMessage(error)})`, {
      cause: error,
    });
  }
}

/**
 * One entry an input, for `addBatch`, which reports an invalid input by its line and adds the others.
 * @throws UsageError before the first entry, for an output that JSON Schema cannot express
 */
export async function* toEntries(typed: TypedTask, inputs: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator {
  toSchema(typed);
  const { UnreadableEntry } = await import('../../tasks/batch/add.ts'); // a script that only defines tasks does not load it
  for await (const input of inputs) {
    try {
      yield toTaskInput(typed, input);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      yield new UnreadableEntry(error.message);
    }
  }
}

export function isTypedTask(value: unknown): value is TypedTask {
  return typeof value === 'object' && value !== null && 'prompt' in value && 'output' in value && 'input' in value;
}
