import type { BatchSummary } from '../../../tasks/batch/types.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { listBatches } from '../../../tasks/batch/list/list-batches.ts';
import { describePace } from '../../../tasks/batch/pace.ts';
import { noteHalt } from '../../output/halt-note.ts';
import { fitLine, printJson, renderTable } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { toAge } from './jobs-render.ts';
import { formatCount } from '../../../text/plural.ts';

/** Does `fleet batches`. */
export async function runBatchesCommand({ all = false, json }: { all?: boolean; json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const batches = await listBatches(db, { all });
    if (json) return printJson(batches);
    console.log(renderBatches(batches, { now: db.clock.now(), all }));
    await noteHalt(db);
  });
}

/** The text of `fleet batches`. @param options.now ms since 1970 */
export function renderBatches(batches: readonly BatchSummary[], { now, all }: { now: number; all: boolean }): string {
  if (batches.length === 0) {
    const wider = all ? 'fleet task --file FILE adds one.' : 'fleet batches --all lists older ones.';
    return `No batch ${all ? 'is known' : 'runs or ended within a day'}: ${wider}`;
  }
  const rows = batches.map((batch) => [
    fitLine(batch.batch, 60),
    batch.state,
    formatCount(batch.completed),
    formatCount(batch.failed),
    formatCount(batch.cancelled),
    `${formatCount(batch.open)}${batch.parked === 0 || batch.parked === batch.open ? '' : ` (${formatCount(batch.parked)} parked)`}`,
    batch.pace === null ? '–' : describePace(batch.pace),
    formatUsd(batch.spentNanoUsd, 4),
    batch.budgetNanoUsd === null ? '–' : formatUsd(batch.budgetNanoUsd, 4),
    toAge(now - Date.parse(batch.createdAt)),
  ]);
  const head = ['BATCH', 'STATE', 'DONE', 'FAILED', 'CANCELLED', 'OPEN', 'PACE', 'SPENT', 'BUDGET', 'AGE'];
  return renderTable([head, ...rows], [2, 3, 4, 5, 7, 8, 9]);
}
