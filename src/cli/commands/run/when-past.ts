import type { PastReport, RuleTrial } from '../../../rules/types.ts';
import { countOf } from '../../../text/plural.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { fitLine, lineWidth, printJson, renderTable } from '../../output/print.ts';
import { warnWithoutRunner } from '../../output/warnings.ts';
import { assertOnly } from '../../input/only-options.ts';
import type { PastCommandOptions } from './when-options.ts';

const OUTCOMES: Readonly<Record<RuleTrial['outcome'], string>> = {
  fires: 'fires',
  known: 'fired before',
  parked: 'parked',
  max: 'over the day’s most',
  once: 'not the first',
};

/** Does `fleet when replay`. */
export async function runWhenReplayCommand(name: string, options: PastCommandOptions): Promise<void> {
  assertOnly('when replay', options, ['since', 'limit', 'dryRun', 'json']);
  const { since, limit, dryRun = false, json } = options;
  const past = { ...(since === undefined ? {} : { since }), ...(limit === undefined ? {} : { limit }) };
  await withFleet(async (fleet) => {
    const report = await (dryRun ? fleet.rules.dryRun(name, past) : fleet.rules.replay(name, past));
    if (json) return printJson(report);
    printTrials(report, { isDryRun: dryRun, name });
    if (!dryRun && report.trials.some(({ outcome }) => outcome === 'fires')) await warnWithoutRunner(fleet);
  });
}

/** Prints what a rule would do, or did, with findings of the past. */
export function printTrials({ lookedAt, trials, isCut }: PastReport, how: { isDryRun: boolean; name: string }): void {
  const { isDryRun, name } = how;
  const looked = countOf(lookedAt, 'finding');
  if (trials.length === 0) {
    return console.log(`Rule ${name}: none of ${looked} fits${isDryRun ? '; nothing was changed' : ''}`);
  }
  const fires = trials.filter(({ outcome }) => outcome === 'fires').length;
  const does = isDryRun
    ? `would start ${countOf(fires, 'task')}; nothing was changed`
    : `started ${countOf(fires, 'task')}`;
  console.log(`Rule ${name}: ${trials.length} of ${looked} ${trials.length === 1 ? 'fits' : 'fit'}, ${does}`);
  const rows = trials.map((trial) => [
    trial.at.slice(0, 16).replace('T', ' '),
    fitLine(trial.finding, 60),
    isDryRun && trial.outcome === 'parked' ? 'parked: too deep' : OUTCOMES[trial.outcome],
  ]);
  const width = Math.max(20, lineWidth() - 2 - (renderTable(rows).split('\n')[0]?.length ?? 0) - 2);
  const table = renderTable(rows.map((row, i) => [...row, fitLine(trials[i]?.summary ?? '', width)]));
  for (const line of table.split('\n')) console.log(`  ${line}`);
  const [first] = trials;
  if (isDryRun && first !== undefined) console.log(`\nThe first task: ${fitLine(first.description, 400)}`);
  if (isCut) console.log('There are more: --limit shows them.');
}
