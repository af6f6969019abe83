import { toSelection, type SelectionOptions } from '../../input/patch-selection.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printReport } from '../../output/patch-report.ts';

export interface DiscardOptions extends SelectionOptions {
  json?: boolean;
}

/** Does `fleet discard`. */
export async function runDiscardCommand(ids: string[], options: DiscardOptions): Promise<void> {
  const selection = toSelection('discard', ids, options);
  const { json = false } = options;
  await withFleet(async (fleet) => {
    const report = await fleet.patches.discard(selection);
    printReport(report, { json, selection });
    if (json || !report.patches.some(({ outcome, commit }) => outcome === 'discarded' && commit !== null)) return;
    console.log(
      'git keeps these commits for about two weeks: git show COMMIT. Texts of patches are kept for 7 days: fleet apply ID',
    );
  });
}
