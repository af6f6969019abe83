import { existsSync, statSync } from 'node:fs';
import type { TaskInput } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { readJsonFile, readTextFile } from './files.ts';

/** One word that ends as the name of a file does: a description is more than that. */
const FILE_NAME = /^\S+\.(json|md|txt)$/i;

/**
 * Reads a task that is given as its words or as a file: `.json` holds a whole task, any other file its description.
 * @param name of the option, for errors
 * @param given `-` reads the description from the standard input
 * @throws UsageError for a file that is not there or cannot be read
 */
export function readTaskText(name: string, given: string): string | TaskInput {
  if (given !== '-' && !isFile(given)) {
    if (!FILE_NAME.test(given)) return given;
    throw new UsageError(`${name}: there is no file ${given}; correct the path, or say the task in words`);
  }
  if (!/\.json$/i.test(given)) return readTextFile(name, given).text.trim();
  const task = readJsonFile(name, given);
  if (typeof task !== 'object' || task === null || Array.isArray(task)) {
    throw new UsageError(`${name} ${given}: expected a task as a JSON object, such as {"description": "…"}`);
  }
  return task as TaskInput; // the rules check it, as any task
}

function isFile(path: string): boolean {
  return path.length < 4_096 && existsSync(path) && statSync(path).isFile();
}
