import type { PatchOutcome } from '../../../patches/apply/types.ts';
import { toSelection, type SelectionOptions } from '../../input/patch-selection.ts';
import { withFleet, withInterruptSignal } from '../../input/with-fleet.ts';
import { isLeftOut, renderOutcome, summariseApply } from '../../output/patches.ts';
import { printJson } from '../../output/print.ts';
import { EXIT } from '../../output/report-failure.ts';

export interface ApplyCommandOptions extends SelectionOptions {
  '3way'?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Does `fleet apply`. */
export async function runApplyCommand(ids: string[], options: ApplyCommandOptions): Promise<void> {
  const selection = toSelection('apply', ids, options);
  const { json = false, dryRun = false } = options;
  await withFleet(async (fleet) => {
    const shown = new Set<string>();
    const show = (outcome: PatchOutcome): void => {
      if (json || shown.has(outcome.findingId)) return;
      shown.add(outcome.findingId);
      console.log(renderOutcome(outcome));
    };
    const report = await withInterruptSignal((signal) =>
      fleet.patches.apply({
        ...selection,
        dryRun,
        threeWay: options['3way'] === true,
        signal,
        onLeft: (left) => left.forEach(show),
      }),
    );
    if (report.patches.some(isLeftOut)) process.exitCode = EXIT.failed;
    if (json) return printJson(report);
    report.patches.forEach(show);
    for (const note of report.notes) console.error(`⚠️  ${note}`);
    console.log(summariseApply(report.patches, selection));
  });
}
