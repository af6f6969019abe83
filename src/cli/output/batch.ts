import type { Halt } from '../../halt/types.ts';
import { formatUsd } from '../../pricing/money.ts';
import { choicesOf } from '../../status/render/halt-choices.ts';
import type { BatchEnd } from '../../tasks/batch/follow.ts';
import type { BatchReport, BatchState } from '../../tasks/batch/types.ts';
import { countOf } from '../../text/plural.ts';

/** The text of `fleet status --batch`, also printed when a batch has ended. */
export function renderBatch(state: BatchState): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const {
    batch,
    session,
    tasks,
    completed,
    partial,
    toolErrors,
    failed,
    settledNanoUsd,
    uncertainNanoUsd,
    limitNanoUsd,
  } = state;
  const open = Math.max(0, tasks - completed - failed);
  const limit = limitNanoUsd === null ? '' : ` of ${formatUsd(limitNanoUsd, 4)}`;
  const uncertain = uncertainNanoUsd === 0 ? '' : ` (and ${formatUsd(uncertainNanoUsd, 4)} uncertain)`;
  const marks = [
    ...(partial === 0 ? [] : [`${count(partial)} partial`]),
    ...(toolErrors === 0 ? [] : [`${count(toolErrors)} with tool errors`]),
  ];
  const marked = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  return [
    `Batch ${batch} (session ${session})`,
    `Tasks:   ${count(tasks)}: ${count(completed)} completed${marked}, ${count(failed)} failed, ${count(open)} to do`,
    `Cost:    ${formatUsd(settledNanoUsd, 4)}${limit}${uncertain}`,
    ...(failed === 0 ? [] : [`Failed:  fleet failed --batch ${batch}`]),
  ].join('\n');
}

/** One line about the tasks that a file added. */
export function describeLoaded({ batch, added, existing, invalid, read }: BatchReport): string {
  const parts = [
    `${countOf(added, 'task')} added`,
    ...(existing > 0 ? [`${existing.toLocaleString('en-US')} there already`] : []),
    ...(invalid > 0 ? [countOf(invalid, 'bad line')] : []),
  ];
  return `Batch ${batch ?? ''}: ${parts.join(', ')} (${countOf(read, 'line')} read)`;
}

/** Prints how the wait for a batch ended, and what a person can do. @param halt the halt in force, if any */
export function printBatchEnd(state: BatchState, end: BatchEnd, halt: Halt | null): void {
  console.log(renderBatch(state));
  if (end === 'parked') console.log(`Parked:  some wait for a higher budget: fleet budget USD --batch ${state.batch}`);
  if (end !== 'halted' || halt === null) return;
  const { reason, detail } = halt;
  console.log(`⛔ Halted: ${reason}${detail === '' ? '' : ` (${detail})`}`);
  for (const choice of choicesOf(halt)) console.log(`  ➜ ${choice.what}: ${choice.command}`);
  console.log('  The batch goes on then; the same command waits for it again.');
}
