import { z } from 'zod';
import type { TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import { toRules } from './parse-job.ts';

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
  const { $schema: _dialect, ...schema } = z.toJSONSchema(typed.output, { io: 'input' });
  return {
    ...rest,
    topics: [...new Set([typed.name, ...(rest.topics ?? [])])],
    description: typed.prompt(parsed.data),
    schema: JSON.parse(JSON.stringify(schema)) as NonNullable<TaskInput['schema']>,
  };
}

export function isTypedTask(value: unknown): value is TypedTask {
  return typeof value === 'object' && value !== null && 'prompt' in value && 'output' in value && 'input' in value;
}
