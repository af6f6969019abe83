import type { CostReport, CostRow } from '../../src/ledger/report/types.ts';
import type { UncertainCall } from '../../src/ledger/uncertain/list.ts';
import type { Settlement } from '../../src/ledger/uncertain/settle.ts';
import { toPromptTokens } from '../../src/pricing/tokens.ts';
import { startOf } from '../../src/text/start-of.ts';
import { toVisible } from '../access/visible-text.ts';

/** Rows that the page shows; the total is that of all. */
const MOST_ROWS = 200;
/** Calls that the page shows, and that one change settles at most. */
export const MOST_CALLS = 200;
const MOST_WHY = 400;

/** A report as the page shows it: the newest days, or the rows that cost most. */
export function toReport({ by, comparedWith, rows, total }: CostReport) {
  const newest = by === 'day' ? rows.toReversed() : rows;
  return {
    by,
    comparedWith,
    rows: newest.slice(0, MOST_ROWS).map(toRow),
    more: Math.max(0, rows.length - MOST_ROWS),
    total: toRow(total),
  };
}

/** `name` is the value as a filter takes it, `shown` with what it would hide from a reader. */
function toRow(row: CostRow) {
  const { name, calls, tasks, usage, costNano, freeLocalCalls, cacheSavedNano, allSonnetNano, archive } = row;
  const isOfArchive = calls > 0 && archive.calls === calls;
  return {
    name,
    shown: name === null ? null : toVisible(name),
    tasks,
    calls,
    promptTokens: toPromptTokens(usage),
    outputTokens: usage.output,
    costNano,
    freeLocalCalls,
    cacheSavedNano,
    allSonnetNano,
    /** Null: librarians alone spent it, which saves nothing. */
    savedPercent: isOfArchive ? null : row.savedPercent,
    reworkNano: row.reworkNano,
    reworkTasks: row.reworkTasks,
    effectiveSavedPercent: isOfArchive ? null : row.effectiveSavedPercent,
    unmeteredTasks: row.unmetered.tasks,
    unmeteredNano: row.unmetered.costNano,
  };
}

/** The calls of uncertain cost, the oldest first, with the sum of all. */
export function toUncertain(calls: readonly UncertainCall[]) {
  return {
    count: calls.length,
    nanoUsd: calls.reduce((sum, call) => sum + call.nanoUsd, 0),
    calls: calls
      .slice(0, MOST_CALLS)
      .map(({ id, name, reservedAt, model, jobId, turn, workerId, nanoUsd, reported }) => ({
        id,
        name,
        at: new Date(reservedAt).toISOString(),
        model: model === null ? null : toVisible(model),
        jobId,
        turn,
        worker: toVisible(workerId),
        nanoUsd,
        bookedNanoUsd: reported?.nanoUsd ?? 0,
      })),
  };
}

export function toSettlements(settlements: readonly Settlement[]) {
  return settlements.map(({ call, at, job, nano, uncertain_nano: worst, by, why }) => ({
    call,
    at,
    jobId: job,
    nanoUsd: nano,
    uncertainNanoUsd: worst,
    by: toVisible(by),
    why: toVisible(startOf(why, MOST_WHY)),
  }));
}
