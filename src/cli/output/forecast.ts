import type { MissionForecast } from '../../coordinator/plan/forecast.ts';
import { toSavedPercent } from '../../pricing/cost.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Forecast } from '../../tasks/batch/forecast.ts';
import type { BatchReport } from '../../tasks/batch/types.ts';
import { countOf } from '../../text/plural.ts';

/** The text of `fleet task --file --dry-run`: what would be added, what it will probably cost, and the basis of that. */
export function renderBatchForecast(report: BatchReport, forecast: Forecast): string {
  const { tasks, low, likely, high, allSonnet, basis, budgetLeft } = forecast;
  return [
    `Dry run of batch ${report.batch ?? ''}: nothing was added`,
    `Tasks:       ${toCount(tasks)} new, ${toCount(report.existing)} there already, ${countOf(report.invalid, 'bad line')}`,
    `Cost:        ${formatUsd(likely, 4)} likely, between ${formatUsd(low, 4)} and ${formatUsd(high, 4)}`,
    renderAllSonnet(likely, allSonnet),
    renderBudgetLeft(budgetLeft, high),
    ...renderBasis(basis),
  ].join('\n');
}

/** The text of `fleet mission --dry-run` below the plan. */
export function renderMissionForecast({ tasks, cost, quota, time, basis }: MissionForecast): string {
  const short = quota !== null && quota.questions > quota.leftToday ? ' ⚠️  questions will wait for the next day' : '';
  return [
    `Tasks:       ${countOf(tasks.total, 'task')}, ${toCount(tasks.haiku)} of them to Haiku, ${toCount(tasks.sonnet)} to Sonnet`,
    `Cost:        ${formatUsd(cost.likely, 4)} likely, ${formatUsd(cost.worst, 4)} at worst (${formatUsd(cost.synthesis, 4)} of it the synthesis)`,
    renderAllSonnet(cost.likely, cost.allSonnet),
    renderBudgetLeft(cost.budgetLeft, cost.worst),
    quota === null
      ? 'Quota:       no archive: no shard is configured'
      : `Quota:       ${countOf(quota.questions, 'question')} to the archive, ${toCount(quota.leftToday)} left today${short}`,
    `Time:        about ${toDuration(time.likelyMs)} with ${countOf(time.slots, 'slot')}, the longest chain ${countOf(time.longestChain, 'task')}`,
    ...renderBasis(basis),
  ].join('\n');
}

function renderAllSonnet(likely: number, allSonnet: number): string {
  return `All Sonnet:  ${formatUsd(allSonnet, 4)}, saved ${toSavedPercent(likely, allSonnet).toFixed(1)} %`;
}

/** @param most the most that the work may cost */
function renderBudgetLeft(left: number, most: number): string {
  const tight = most > left ? ' ⚠️  may not be enough: fleet budget USD' : '';
  return `Budget left: ${formatUsd(left, 4)} today${tight}`;
}

function renderBasis(basis: readonly string[]): string[] {
  return basis.map((line, i) => (i === 0 ? 'Basis:' : '').padEnd(13) + line);
}

function toCount(count: number): string {
  return count.toLocaleString('en-US');
}

function toDuration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
