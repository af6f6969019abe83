import { z } from 'zod';
import type { TaskInput } from '../../queues/tasks.ts';
import { ResultMismatchError, toMessage, UsageError } from '../errors.ts';
import { toRules } from '../jobs/contract.ts';

/** A task with a typed input and a typed result. */
export interface TypedTask<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** Becomes the task's topic: `fleet findings --grep`. */
  name: string;
  input: Input;
  /** What the worker must answer with. It goes to the model as JSON Schema, is validated, and repaired once. */
  output: Output;
  /** The description the worker gets. */
  prompt: (input: z.output<Input>) => string;
  /** Anything else of the task: workspace, files, model, budget. */
  task?: (input: z.output<Input>) => Omit<TaskInput, 'description' | 'schema'>;
}

/** Names a task once, with its types: `fleet.tasks.add(countLines, { file: 'a.ts' })` then has a typed `result()`. */
export function defineTask<Input extends z.ZodType, Output extends z.ZodType>(
  task: TypedTask<Input, Output>,
): TypedTask<Input, Output> {
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

/** Makes the typed result of a finding's. @param typed null: whatever it is */
export function toResultParser(typed: TypedTask | null): (value: unknown, findingId: string) => unknown {
  if (typed === null) return (value) => value;
  return (value, findingId) => {
    const parsed = typed.output.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new ResultMismatchError(
      findingId,
      `task ${typed.name}: the result of ${findingId} does not fit its output: ${toRules(parsed.error)}`,
      { cause: parsed.error },
    );
  };
}

/**
 * The output as JSON Schema. Draft 7 is what the worker validates by: in later drafts a tuple, for one, is written otherwise.
 * @throws UsageError for an output that no JSON can carry
 */
export function toSchema({ name, output }: TypedTask): NonNullable<TaskInput['schema']> {
  try {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(output, { io: 'input', target: 'draft-7' });
    return JSON.parse(JSON.stringify(schema)) as NonNullable<TaskInput['schema']>;
  } catch (error) {
    throw new UsageError(`task ${name}: its output cannot be said in JSON Schema (${toMessage(error)})`, {
      cause: error,
    });
  }
}

export function isTypedTask(value: unknown): value is TypedTask {
  return typeof value === 'object' && value !== null && 'prompt' in value && 'output' in value && 'input' in value;
}
