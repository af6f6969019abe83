import { posix } from 'node:path';
import type { TaskData, TaskInput } from '../../queues/tasks.ts';
import { FleetError, UsageError } from '../errors.ts';
import { assertSchema } from './schema/result-check.ts';
import { splitData } from './exact-data.ts';
import { checkInput } from '../jobs/check-input.ts';
import { findFindingIdProblem } from '../../queues/ids.ts';
import { assertModels } from './check-models.ts';
import { assertWorkspace, type KnownNames } from './known-names.ts';

/** A task that may be enqueued, with the exact text of its data where that is needed. */
export type CheckedTask = TaskInput & Pick<TaskData, 'data_text'>;

/**
 * Checks a task before it is enqueued, strictly: a mistake costs a message instead of a failed job.
 * @param vendors those that what it stems from allows; default: all
 * @throws UsageError naming the field, the rule and what to do
 */
export async function checkTask(input: unknown, known: KnownNames, vendors?: readonly string[]): Promise<CheckedTask> {
  const { task: rounded, dataText } = splitData(input);
  const task = checkInput('tasks', 'task', rounded);
  if (task.workspace !== undefined) assertWorkspace(task.workspace, known);
  if (task.built_in !== undefined && task.workspace === undefined) {
    throw new UsageError(`built_in: ${task.built_in} lists a workspace; expected a name in workspace, got nothing`);
  }
  const outside = (task.files ?? []).find(leavesWorkspace);
  if (outside !== undefined) {
    throw new UsageError(`files: ${JSON.stringify(outside)} leaves the workspace; expected paths relative to it`);
  }
  if (task.files?.some((file) => file.includes('\0')) === true)
    throw new UsageError('files: a path may not contain a NUL byte');
  const problem = task.finding_id === undefined ? null : findFindingIdProblem(task.finding_id);
  if (problem !== null) throw new UsageError(`finding_id: ${problem}`);
  const missing = (task.contexts ?? []).filter((name) => !known.contexts.has(name));
  if (missing.length > 0)
    throw new UsageError(`contexts: there is none named ${missing.join(', ')}; fleet context load NAME FILE`);
  try {
    assertModels(task, known, vendors);
    if (task.schema !== undefined) await assertSchema(task.schema);
  } catch (error) {
    throw error instanceof FleetError ? new UsageError(error.message, { cause: error }) : error;
  }
  return dataText === undefined ? task : { ...task, data_text: dataText };
}

/** Judges the spelling alone; a tool checks where links lead when it opens the file. */
export function leavesWorkspace(path: string): boolean {
  const plain = posix.normalize(path);
  return posix.isAbsolute(plain) || plain === '..' || plain.startsWith('../');
}
