import { toSelection } from '../../input/patch-selection.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printReport } from '../../output/patch-report.ts';

export interface UndoOptions {
  json?: boolean;
}

/** Does `fleet undo`. */
export async function runUndoCommand(ids: string[], { json = false }: UndoOptions): Promise<void> {
  toSelection('undo', ids, {});
  await withFleet(async (fleet) => printReport(await fleet.patches.undo(ids), { json, selection: { ids } }));
}
