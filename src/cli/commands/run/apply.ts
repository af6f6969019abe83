import type { PatchOutcome } from '../../../patches/apply/types.ts';
import { toSelection, type SelectionOptions } from '../../input/patch-selection.ts';
import { withFleet, withInterruptSignal } from '../../input/with-fleet.ts';
import { printReport } from '../../output/patch-report.ts';
import { renderOutcome } from '../../output/patches.ts';
import { showWaiting } from '../../output/progress.ts';
import { EXIT } from '../../output/report-failure.ts';

export interface ApplyCommandOptions extends SelectionOptions {
  check?: string;
  branch?: string;
  '3way'?: boolean;
  pr?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Does `fleet apply`. */
export async function runApplyCommand(ids: string[], options: ApplyCommandOptions): Promise<void> {
  const selection = toSelection('apply', ids, options);
  const { json = false, dryRun = false, pr = false, check, branch } = options;
  const shown = new Set<string>();
  const warned = new Set<string>();
  const show = (outcome: PatchOutcome): void => {
    if (!json) console.log(renderOutcome(outcome));
    shown.add(outcome.findingId);
  };
  await withFleet(async (fleet) => {
    const waiting = showWaiting();
    const report = await withInterruptSignal(
      'Interrupted. What was applied before stays: git log shows it.',
      (signal) =>
        fleet.patches.apply({
          ...selection,
          ...(check === undefined ? {} : { check }),
          ...(branch === undefined ? {} : { branch }),
          dryRun,
          pr,
          threeWay: options['3way'] === true,
          signal,
          onCheck: (at, of, subject) => waiting.update(`Checking ${at} of ${of}: ${subject}`),
          onWarning: (text) => {
            if (!json && !warned.has(text)) console.error(`⚠️  ${text}`);
            warned.add(text);
          },
          onLeft: (left) => left.filter(({ findingId }) => !shown.has(findingId)).forEach(show),
        }),
    ).finally(() => waiting.stop());
    const notes = json ? report.notes : report.notes.filter((note) => !warned.has(note));
    printReport({ ...report, notes }, { json, selection, shown });
    if (report.pullRequest?.opened === false) process.exitCode = EXIT.failed;
  });
}
