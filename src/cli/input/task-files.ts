import type { TaskInput } from '../../../queues/tasks.ts';
import { loadConfig } from '../../config/environment.ts';
import { UsageError } from '../../errors.ts';
import { describeMissing, findMissingFiles } from '../../tasks/missing-files.ts';
import { countOf } from '../../text/plural.ts';

/**
 * Refuses files that the workspace does not have: most are misspelt, and the task would be paid for. Only the host of the workspace
 * knows them; a task that is to make them says so.
 * @throws UsageError
 */
export function refuseMissingFiles(task: TaskInput, allowMissing: boolean): void {
  const missing = allowMissing ? [] : findMissingFiles(task, loadConfig(process.env).FLEET_WORKSPACES);
  if (missing.length === 0) return;
  throw new UsageError(
    `--files: ${describeMissing(task, missing)}; correct the path, or add --allow-missing where the task is to make it`,
  );
}

/** Counts the lines of a task file that name files which their workspace does not have. Such lines are added: they may be to make them. */
export class MissingFiles {
  readonly #workspaces: Record<string, string>;
  #lines = 0;
  #first = '';

  constructor(workspaces: Record<string, string>) {
    this.#workspaces = workspaces;
  }

  look(line: number, task: TaskInput): void {
    const [file] = findMissingFiles(task, this.#workspaces);
    if (file === undefined) return;
    this.#lines += 1;
    if (this.#lines === 1) this.#first = `line ${line}: ${JSON.stringify(file)} in workspace ${task.workspace}`;
  }

  /** @returns null: every file is there, or its workspace is on another host */
  describe(): string | null {
    if (this.#lines === 0) return null;
    const lines = this.#lines === 1 ? '1 line names a file' : `${countOf(this.#lines, 'line')} name files`;
    return `${lines} that the workspace does not have; the first is ${this.#first}`;
  }
}
