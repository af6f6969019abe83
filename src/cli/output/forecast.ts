import type { ReviewedPlan } from '../../coordinator/mission/review-types.ts';
import { describeNames } from '../../coordinator/plan/name-counts.ts';
import type { MissionForecast } from '../../coordinator/plan/types.ts';
import { toSavedPercent } from '../../pricing/cost.ts';
import { FREE_LOCAL } from '../../pricing/free-local.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Forecast } from '../../tasks/batch/forecast.ts';
import type { BatchReport } from '../../tasks/batch/types.ts';
import { describeDuration } from '../../text/time/duration.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import { fitLine, lineWidth } from './print.ts';

/** The text of `fleet task --file --dry-run`: what would be added, what it will probably cost, and the basis of that. */
export function renderBatchForecast(report: BatchReport, forecast: Forecast): string {
  const { tasks, low, likely, high, allSonnet, comparedWith, isFreeLocal, basis, budgetLeft } = forecast;
  return [
    `Dry run of batch ${report.batch ?? ''}: nothing was added`,
    `Tasks:       ${formatCount(tasks)} new, ${formatCount(report.existing)} there already, ${countOf(report.invalid, 'bad line')}`,
    `Cost:        ${isFreeLocal ? FREE_LOCAL : `${formatUsd(likely, 4)} likely, between ${formatUsd(low, 4)} and ${formatUsd(high, 4)}`}`,
    renderCompared(comparedWith, likely, allSonnet),
    renderBudgetLeft(budgetLeft, high),
    ...renderBasis(basis),
  ].join('\n');
}

/** The text of `fleet mission --dry-run` below the plan. */
export function renderMissionForecast({ tasks, cost, quota, time, basis }: MissionForecast): string {
  const short = quota !== null && quota.questions > quota.leftToday ? ' ⚠️  questions will wait for the next day' : '';
  return [
    `Tasks:       ${describeNames(tasks)}`,
    `Cost:        ${formatUsd(cost.likely, 4)} likely, ${formatUsd(cost.worst, 4)} at worst (${formatUsd(cost.synthesis, 4)} of it the synthesis)`,
    renderCompared(cost.comparedWith, cost.likely, cost.allSonnet),
    renderBudgetLeft(cost.budgetLeft, cost.worst),
    quota === null
      ? 'Quota:       no archive: no shard is configured'
      : `Quota:       ${countOf(quota.questions, 'question')} to the archive, ${formatCount(quota.leftToday)} left today${short}`,
    `Time:        about ${describeDuration(time.likelyMs)} with ${countOf(time.slots, 'slot')}, the longest chain ${countOf(time.longestChain, 'task')}`,
    ...renderBasis(basis),
  ].join('\n');
}

function renderCompared(name: string, likely: number, allSonnet: number): string {
  return `${`All ${name}:`.padEnd(12)} ${formatUsd(allSonnet, 4)}, saved ${toSavedPercent(likely, allSonnet).toFixed(1)} %`;
}

/** @param most the most that the work may cost */
function renderBudgetLeft(left: number, most: number): string {
  const tight = most > left ? ' ⚠️  may not be enough: fleet budget USD' : '';
  return `Budget left: ${formatUsd(left, 4)} today${tight}`;
}

function renderBasis(basis: readonly string[]): string[] {
  return basis.map((line, i) => (i === 0 ? 'Basis:' : '').padEnd(13) + line);
}

/** Entries of a `for_each` that a plan shows; further ones are only counted. */
const NAMED_ITEMS = 5;

/** The tasks of a plan with their numbers, each `for_each` in one line. */
export function renderPlan({ approach, plan, tasks }: Pick<ReviewedPlan, 'approach' | 'plan' | 'tasks'>): string {
  const numbers = new Map<string, { all: number[]; dropped: number[] }>();
  for (const { task, n, dropped } of tasks) {
    const found = numbers.get(task) ?? { all: [], dropped: [] };
    found.all.push(n);
    if (dropped) found.dropped.push(n);
    numbers.set(task, found);
  }
  const rows = plan.tasks.map((task) => ({ task, ...(numbers.get(task.id) ?? { all: [], dropped: [] }) }));
  const width = Math.max(...rows.map(({ all }) => toRange(all).length));
  const lines = rows
    .toSorted((a, b) => (a.all[0] ?? 0) - (b.all[0] ?? 0))
    .map(({ task, all, dropped }) => {
      const each = task.for_each ?? [];
      const items =
        each.length === 0
          ? ''
          : ` × ${each.length} (${each.slice(0, NAMED_ITEMS).join(', ')}${each.length > NAMED_ITEMS ? ', …' : ''})`;
      const after = task.depends_on.length === 0 ? '' : `, after ${task.depends_on.join(', ')}`;
      const model = task.model === 'haiku' ? '' : `, ${task.model}${task.reason ? ` (${task.reason})` : ''}`;
      const left =
        dropped.length === 0 ? '' : all.length === dropped.length ? '  left out' : `  without ${dropped.join(', ')}`;
      const head = `  ${toRange(all).padStart(width)}  `;
      const line = `${task.id}${items}${left}  [${task.kind}${model}${after}]  ${task.description}`;
      return head + fitLine(line, lineWidth() - head.length);
    });
  return [approach, '', ...lines].join('\n');
}

/** What a person can do with a plan now, and what has changed since it was made. */
export function renderChoices({
  missionId: id,
  state,
  notes,
  obstacle,
}: Pick<ReviewedPlan, 'missionId' | 'state' | 'notes' | 'obstacle'>): string[] {
  if (obstacle !== null) return [`⚠️  ${obstacle}`];
  const aside = state === 'planned' ? [`  fleet park ${id}`.padEnd(COMMAND) + 'sets it aside'] : [];
  return [
    ...notes.map((note) => `⚠️  ${note}`),
    state === 'planned' ? `It waits for your approval:` : 'It can be run as it is, without planning or paying again:',
    `  fleet mission run ${id}`.padEnd(COMMAND) + 'runs it (--drop N,M leaves out tasks of these numbers)',
    `  fleet mission ${id} --plan > plan.json`.padEnd(COMMAND) + 'writes it, to be edited, for run … --edit plan.json',
    ...aside,
  ];
}

/** Width of the command lines. */
const COMMAND = 56;

/** The numbers of one planned task follow each other. */
function toRange(numbers: readonly number[]): string {
  const [first = 0] = numbers;
  return numbers.length < 2 ? String(first) : `${first}–${first + numbers.length - 1}`;
}
