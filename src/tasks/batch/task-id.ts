import { findBatchNameProblem } from '../../../queues/ids.ts';
import { UsageError } from '../../errors.ts';

/** @throws UsageError */
export function checkBatchName(name: string): string {
  const problem = findBatchNameProblem(name);
  if (problem !== null) throw new UsageError(`batch: ${problem}`);
  return name;
}
