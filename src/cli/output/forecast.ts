import { countOf } from '../../text/plural.ts';
import type { BatchReport } from '../../tasks/batch/types.ts';
import type { Forecast } from '../../tasks/batch/forecast.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toSavedPercent } from '../../pricing/cost.ts';

/** What `--dry-run` prints: what would be added, what it will probably cost, and what that rests on. */
export function renderForecast(report: BatchReport, forecast: Forecast): string {
  const { tasks, low, likely, high, allSonnet, basis, budgetLeft } = forecast;
  const count = (value: number): string => value.toLocaleString('en-US');
  const tight = high > budgetLeft ? ' ⚠️  may not be enough: fleet budget USD' : '';
  return [
    `Dry run of batch ${report.batch ?? ''}: nothing was added`,
    `Tasks:       ${count(tasks)} new, ${count(report.existing)} there already, ${countOf(report.invalid, 'bad line')}`,
    `Cost:        ${formatUsd(likely, 4)} likely, between ${formatUsd(low, 4)} and ${formatUsd(high, 4)}`,
    `All Sonnet:  ${formatUsd(allSonnet, 4)}, saved ${toSavedPercent(likely, allSonnet).toFixed(1)} %`,
    `Budget left: ${formatUsd(budgetLeft, 4)} today${tight}`,
    ...basis.map((line, at) => (at === 0 ? 'Basis:' : '').padEnd(13) + line),
  ].join('\n');
}
