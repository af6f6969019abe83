import type { PatchReport } from '../../patches/apply/types.ts';
import type { PatchSelection } from '../../patches/types.ts';
import { isLeftOut, renderOutcome, summarise } from './patches.ts';
import { printJson } from './print.ts';
import { EXIT } from './report-failure.ts';

/** Prints what became of patches, and sets the exit code. @param options.shown finding ids of those that were printed before */
export function printReport(
  report: PatchReport,
  { json, selection, shown = new Set() }: { json: boolean; selection: PatchSelection; shown?: ReadonlySet<string> },
): void {
  if (report.patches.some(isLeftOut)) process.exitCode = EXIT.failed;
  if (json) return printJson(report);
  for (const outcome of report.patches) if (!shown.has(outcome.findingId)) console.log(renderOutcome(outcome));
  for (const note of report.notes) console.error(`⚠️  ${note}`);
  const { pullRequest } = report;
  if (pullRequest !== undefined) console.log(`${pullRequest.opened ? '✅' : '❌'} ${pullRequest.text}`);
  console.log(summarise(report.patches, selection));
}
