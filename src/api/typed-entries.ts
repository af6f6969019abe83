import type { TaskInput } from '../../queues/tasks.ts';
import { UnreadableEntry } from '../tasks/batch/add.ts';
import { UsageError } from '../errors.ts';
import { toSchema, toTaskInput, type TypedTask } from './define-task.ts';

/** One entry an input, as `addBatch` takes them: a bad input is reported by its line and stops nothing. */
export async function* toEntries(
  typed: TypedTask,
  inputs: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<TaskInput | UnreadableEntry> {
  toSchema(typed); // a task that can have no schema fails before its first line
  for await (const input of inputs) {
    try {
      yield toTaskInput(typed, input);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      yield new UnreadableEntry(error.message);
    }
  }
}
