import type { Halt } from '../../halt/types.ts';
import { CANCELLED } from '../../jobs/cancelled.ts';
import { describeReason } from '../../jobs/wake/reason.ts';
import { toBudgetCommand } from '../../ledger/budget.ts';
import { formatSpent } from '../../pricing/free-local.ts';
import { formatUsd } from '../../pricing/money.ts';
import { choicesOf } from '../../status/render/halt-choices.ts';
import { describePace } from '../../tasks/batch/pace.ts';
import type { BatchEnd, BatchNow } from '../../tasks/batch/follow.ts';
import type { ParkedTasks } from '../../tasks/batch/progress.ts';
import type { BatchReport, BatchState } from '../../tasks/batch/types.ts';
import { countOf, formatCount } from '../../text/plural.ts';

/** The text of `fleet status --batch`, also printed when a batch has ended. */
export function renderBatch(state: BatchState): string {
  const {
    batch,
    session,
    tasks,
    completed,
    partial,
    toolErrors,
    failed,
    cancelled,
    parked,
    waits,
    pace,
    settledNanoUsd,
    freeLocal,
    uncertainNanoUsd,
    limitNanoUsd,
  } = state;
  const open = Math.max(0, tasks - completed - failed - cancelled);
  const limit = limitNanoUsd === null ? '' : ` of ${formatUsd(limitNanoUsd, 4)}`;
  const uncertain = uncertainNanoUsd === 0 ? '' : ` (and ${formatUsd(uncertainNanoUsd, 4)} uncertain)`;
  const marks = [
    ...(partial === 0 ? [] : [`${formatCount(partial)} partial`]),
    ...(toolErrors === 0 ? [] : [`${formatCount(toolErrors)} with tool errors`]),
  ];
  const marked = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  const held = [
    ...waits.map(
      ({ reason, count: jobs, budget }) => `${formatCount(jobs)} wait for ${describeReason(reason, budget)}`,
    ),
    ...(parked === 0 ? [] : [`${formatCount(parked)} parked`]),
  ];
  const waiting = held.length === 0 ? '' : ` (${held.join(', ')})`;
  return [
    `Batch ${batch} (session ${session})`,
    `Tasks:   ${formatCount(tasks)}: ${formatCount(completed)} completed${marked}, ${formatCount(failed)} failed,${cancelled === 0 ? '' : ` ${formatCount(cancelled)} cancelled,`} ${formatCount(open)} to do${waiting}`,
    ...(pace === null ? [] : [`Pace:    ${describePace(pace)}`]),
    `Cost:    ${formatSpent(settledNanoUsd, 4, freeLocal)}${limit}${uncertain}`,
    ...toRaise(state).map((command) => `Raise:   ${command}`),
    ...(failed === 0 ? [] : [`Failed:  fleet failed --batch ${batch}`]),
    ...(cancelled === 0 ? [] : [`Cancelled: fleet retry --batch ${batch} --reason ${CANCELLED} runs them after all`]),
  ].join('\n');
}

/** The commands that raise the budgets for which tasks of the batch wait. */
function toRaise({ waits }: Pick<BatchState, 'waits'>): string[] {
  return waits.flatMap(({ reason }) => (reason.kind === 'money' ? [toBudgetCommand(reason.scope, reason.name)] : []));
}

/** What follows the number of ended tasks while a batch is waited for. */
export function describeNow({ failed, cancelled, pace, waits, parked }: BatchNow): string {
  return [
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    ...(cancelled === 0 ? [] : [`${formatCount(cancelled)} cancelled`]),
    ...(pace === null ? [] : [describePace(pace)]),
    ...waits.map(({ reason, count, budget }) => `${count} wait for ${describeReason(reason, budget)}`),
    ...(parked === 0 ? [] : [`${parked} parked`]),
    ...toRaise({ waits }),
  ].join(', ');
}

/** One line about the tasks that a file added. */
export function describeLoaded({ batch, added, existing, invalid, read }: BatchReport): string {
  const parts = [
    `${countOf(added, 'task')} added`,
    ...(existing > 0 ? [`${formatCount(existing)} there already`] : []),
    ...(invalid > 0 ? [countOf(invalid, 'bad line')] : []),
  ];
  return `Batch ${batch ?? ''}: ${parts.join(', ')} (${countOf(read, 'line')} read)`;
}

/** Budgets, and missions that a person set aside, that are named at the end of a batch; further ones are only counted. */
const PARKED_SHOWN = 5;

/** What the parked tasks of a batch wait for, with the command that releases them. */
export function describeParkedOf(batch: string, parked: ParkedTasks): string[] {
  const more = parked.slice(PARKED_SHOWN).reduce((sum, { count }) => sum + count, 0);
  return [
    ...parked.slice(0, PARKED_SHOWN).map(({ scope, name, count }) => {
      const tasks = `${countOf(count, 'task')} ${count === 1 ? 'waits' : 'wait'} for`;
      if (scope === 'parked-mission') return `${tasks} a person: fleet resume ${name ?? 'MISSION'}`;
      const command =
        name === null || scope === 'unknown' ? toBudgetCommand('batch', batch) : toBudgetCommand(scope, name);
      return `${tasks} a higher budget: ${command}`;
    }),
    ...(more === 0 ? [] : [`and ${countOf(more, 'more task')}: fleet jobs --batch ${batch} --state parked`]),
  ];
}

/** Prints how the wait for a batch ended, and what a person can do. @param halt the halt in force, if any */
export function printBatchEnd(
  state: BatchState,
  { end, halt, parked }: { end: BatchEnd; halt: Halt | null; parked: ParkedTasks },
): void {
  console.log(renderBatch(state));
  if (end === 'parked') for (const line of describeParkedOf(state.batch, parked)) console.log(`Parked:  ${line}`);
  if (end !== 'halted' || halt === null) return;
  const { reason, detail } = halt;
  console.log(`⛔ Halted: ${reason}${detail === '' ? '' : ` (${detail})`}`);
  for (const choice of choicesOf(halt)) console.log(`  ➜ ${choice.what}: ${choice.command}`);
  console.log('  The batch goes on then; the same command waits for it again.');
}
