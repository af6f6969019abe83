import { formatUsd } from '../../pricing/money.ts';
import { describePace } from '../../tasks/batch/pace.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { BatchLine, StatusSnapshot } from '../types.ts';

/** One line for each of the newest batches that has tasks to do; none where there is none. */
export function renderBatchLines({ batches }: Pick<StatusSnapshot, 'batches'>): string[] {
  return batches.length === 0 ? [] : ['Batches:', ...batches.map(renderBatchLine)];
}

function renderBatchLine({
  batch,
  tasks,
  completed,
  failed,
  cancelled,
  parked,
  pace,
  costNanoUsd,
  limitNanoUsd,
}: BatchLine): string {
  const parts = [
    `${formatCount(completed)} of ${countOf(tasks, 'task')} done`,
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    ...(cancelled === 0 ? [] : [`${formatCount(cancelled)} cancelled`]),
    ...(parked === null || parked === 0 ? [] : [`${formatCount(parked)} parked`]),
    ...(pace === null ? [] : [describePace(pace)]),
    `${formatUsd(costNanoUsd, 4)}${limitNanoUsd === null ? '' : ` of ${formatUsd(limitNanoUsd, 4)}`}`,
  ];
  return `  ${toOneLine(batch)}  ${parts.join(', ')}`;
}
