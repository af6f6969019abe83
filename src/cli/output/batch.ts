import type { BatchState } from '../../tasks/batch/types.ts';
import { formatUsd } from '../../pricing/money.ts';

/** The lines of `fleet status --batch` and of a batch that ended. */
export function renderBatch(state: BatchState): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const { batch, session, tasks, completed, failed, settledNanoUsd, uncertainNanoUsd, limitNanoUsd } = state;
  const open = Math.max(0, tasks - completed - failed);
  const limit = limitNanoUsd === null ? '' : ` of ${formatUsd(limitNanoUsd, 4)}`;
  const uncertain = uncertainNanoUsd === 0 ? '' : ` (and ${formatUsd(uncertainNanoUsd, 4)} uncertain)`;
  return [
    `Batch ${batch} (session ${session})`,
    `Tasks:   ${count(tasks)}: ${count(completed)} completed, ${count(failed)} failed, ${count(open)} to do`,
    `Cost:    ${formatUsd(settledNanoUsd, 4)}${limit}${uncertain}`,
    ...(failed === 0 ? [] : [`Failed:  fleet failed --batch ${batch}`]),
  ].join('\n');
}
