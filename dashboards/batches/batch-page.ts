import { describeReason, type AwaitedReason } from '../../src/jobs/wake/reason.ts';
import { toBudgetCommand } from '../../src/ledger/budget.ts';
import { describePace } from '../../src/tasks/batch/pace.ts';
import type { BatchPace, BatchState, BatchSummary } from '../../src/tasks/batch/types.ts';
import { toVisible } from '../access/visible-text.ts';

/** Batches that the list shows. */
const MOST_BATCHES = 200;

/** The list of batches, the newest first. */
export function toBatchList(batches: readonly BatchSummary[]) {
  return {
    batches: batches.slice(0, MOST_BATCHES).map((one) => ({ ...one, ...toNames(one), pace: toPace(one.pace) })),
    more: Math.max(0, batches.length - MOST_BATCHES),
  };
}

/** One batch as its page shows it. */
export function toBatchPage(one: BatchState) {
  return {
    ...one,
    ...toNames(one),
    open: toOpen(one),
    pace: toPace(one.pace),
    waits: one.waits.map(toWait),
  };
}

/** Tasks that have not ended. */
export function toOpen({ tasks, completed, failed, cancelled }: BatchState): number {
  return Math.max(0, tasks - completed - failed - cancelled);
}

/** `batch` is the name as an address takes it, `shown` with what it would hide from a reader. */
function toNames({ batch, session }: { batch: string; session: string }) {
  return { batch, shown: toVisible(batch), session: toVisible(session) };
}

function toPace(pace: BatchPace | null) {
  return pace === null ? null : { ...pace, text: describePace(pace) };
}

function toWait({ reason, count, budget }: AwaitedReason) {
  const command = reason.kind === 'money' ? toBudgetCommand(reason.scope, reason.name) : '';
  return { count, text: toVisible(describeReason(reason, budget)), command };
}
