import { UsageError } from '../../errors.ts';

/** Job id of a batch's task: the same line of the same batch is the same task. @param line 1-based */
export function toTaskId(batch: string, line: number): string {
  return `${batch}-${line}`;
}

/** @throws UsageError */
export function checkBatchName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new UsageError(`batch: expected letters, digits, dot, underscore or dash, got ${JSON.stringify(name)}`);
  }
  return name;
}
