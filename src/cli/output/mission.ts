import type { MissionStatus } from '../../coordinator/mission/handle-types.ts';
import { describeDone } from '../../coordinator/mission/describe-done.ts';
import type { Plan } from '../../coordinator/plan/plan.ts';
import { countOf } from '../../text/plural.ts';
import { toSummary } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { formatUsd } from '../../pricing/money.ts';
import { lineWidth, fitLine, toMarks, withoutControls, renderTable } from './print.ts';
import { stringifyExact } from '../../text/exact-json.ts';

/** Entries of a `for_each` that a plan shows; further ones are only counted. */
const NAMED_ITEMS = 5;

/** The text of `fleet mission ls`. */
export function renderMissionTable(missions: readonly MissionStatus[]): string {
  if (missions.length === 0) return 'There is no mission yet: fleet mission "…" adds one.';
  const rows = missions.map((mission) => [
    mission.id,
    isDryRun(mission) ? 'planned' : describeState(mission),
    describeTasks(mission),
    formatUsd(mission.budget.settled + mission.budget.uncertain, 4),
    mission.createdAt?.slice(0, 16).replace('T', ' ') ?? '–',
    fitLine(mission.goal, 50),
  ]);
  return renderTable([['MISSION', 'STATE', 'TASKS', 'COST', 'SINCE', 'GOAL'], ...rows], [3]);
}

/** The record of a mission whose jobs are parked for a budget is still `running`: add that it is parked. */
function describeState({ state, step, problem }: MissionStatus): string {
  if (state !== 'running') return state;
  return /^(parked:|all it waits for is parked)/.test(problem) ? `${step}, parked` : step;
}

/** The text of `fleet mission ID`. */
export function renderMission(mission: MissionStatus): string {
  const { id, goal, state, session, workspace, problem, budget, recall, plan, finding } = mission;
  const of = budget.limit === null ? '' : ` of ${formatUsd(budget.limit, 4)}`;
  return [
    `Mission ${id}: ${isDryRun(mission) ? 'planned, a dry run: no task of it was added' : state === 'running' ? `running, ${describeState(mission)}` : state}`,
    `  goal:      ${fitLine(goal, lineWidth() - 13)}`,
    `  session:   ${session}${workspace === null ? '' : `, workspace ${workspace}`}`,
    ...(recall === null ? [] : [`  recall:    ${fitLine(describeRecall(recall), lineWidth() - 13)}`]),
    ...(plan === null ? [] : [`  plan:      ${fitLine(plan.approach, lineWidth() - 13)}`]),
    `  tasks:     ${describeTasks(mission)}`,
    `  cost:      ${formatUsd(budget.settled + budget.uncertain, 6)}${of}`,
    ...(problem === '' ? [] : [`  problem:   ${withoutControls(problem)}`]),
    ...(finding === null ? [] : [`  answer:    fleet findings ${finding}`]),
    ...toNext(mission),
  ].join('\n');
}

/** The answer of a mission, its sources, its tasks and its cost. */
export function renderAnswer(
  answer: StoredFinding,
  sources: readonly (readonly [string, StoredFinding | null])[],
): string {
  const result: unknown = answer.result;
  const text: unknown = typeof result === 'object' && result !== null ? Reflect.get(result, 'answer') : result;
  const list = sources.map(([id, source]) => {
    const head = `  ${id}  ${source === null ? '(no longer there)' : `${source.at.slice(0, 16).replace('T', ' ')}  `}`;
    return source === null
      ? head
      : head + fitLine(toMarks(source) + toSummary(source), Math.max(30, lineWidth() - head.length));
  });
  return [
    withoutControls(typeof text === 'string' ? text : stringifyExact(text, 2)),
    ...(list.length === 0 ? [] : ['', 'Sources:', ...list]),
    '',
    ...renderTotals(answer.finding_id, result),
  ].join('\n');
}

/** The plan of a dry run. */
export function renderPlan(plan: Plan): string {
  const lines = plan.tasks.map((task) => {
    const each = task.for_each ?? [];
    const items =
      each.length === 0
        ? ''
        : ` × ${each.length} (${each.slice(0, NAMED_ITEMS).join(', ')}${each.length > NAMED_ITEMS ? ', …' : ''})`;
    const after = task.depends_on.length === 0 ? '' : `, after ${task.depends_on.join(', ')}`;
    const model = task.model === 'sonnet' ? `, sonnet (${task.reason ?? 'no reason'})` : '';
    return fitLine(`  ${task.id}${items}  [${task.kind}${model}${after}]  ${task.description}`, lineWidth());
  });
  return [withoutControls(plan.approach), '', ...lines].join('\n');
}

function renderTotals(findingId: string, result: unknown): string[] {
  const read = (...path: string[]): unknown =>
    path.reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      result,
    );
  const number = (...path: string[]): number => Number(read(...path) ?? 0);
  const share = read('delegation', 'haiku_tasks');
  const saved = read('saving', 'percent');
  const effective = read('saving', 'effective_percent');
  const marks = [
    ...(number('counts', 'partial') === 0 ? [] : [`${number('counts', 'partial')} of them partial`]),
    ...(number('counts', 'tool_errors') === 0 ? [] : [`${number('counts', 'tool_errors')} with tool errors`]),
  ];
  const done = [`${countOf(number('counts', 'done'), 'task')} done`, ...marks].join(', ');
  const tasks = `${done}, ${number('counts', 'failed')} failed, ${number('counts', 'skipped')} skipped`;
  return [
    `${findingId}  ${tasks}`,
    `cost $${number('cost', 'total_usd').toFixed(6)} (coordinator $${number('cost', 'coordinator_usd').toFixed(6)})` +
      (typeof saved === 'number' ? `, saved ${saved.toFixed(1)} % against all Sonnet` : '') +
      (typeof effective === 'number' && effective !== saved ? `, ${effective.toFixed(1)} % after rework` : '') +
      (typeof share === 'number' ? `, ${(share * 100).toFixed(1)} % of tasks by Haiku` : ''),
  ];
}

/** A dry run ends with its plan; every other mission that is done has a finding. */
function isDryRun({ state, finding, added }: MissionStatus): boolean {
  return state === 'done' && finding === null && added === 0;
}

function describeTasks(mission: MissionStatus): string {
  const { counts } = mission;
  if (counts.total === 0) return 'none yet';
  if (isDryRun(mission)) return `${counts.total} planned`;
  const more = [
    ...(counts.failed === 0 ? [] : [`${counts.failed} failed`]),
    ...(counts.skipped === 0 ? [] : [`${counts.skipped} skipped`]),
  ];
  return [describeDone(counts, `${counts.total}`), ...more].join(', ');
}

function describeRecall(recall: NonNullable<MissionStatus['recall']>): string {
  if ('skipped' in recall) return `skipped: ${recall.skipped}`;
  return 'failed' in recall ? `failed: ${recall.failed}` : recall.answer;
}

/** The command that a person can give now. */
function toNext({ id, state, counts }: MissionStatus): string[] {
  if (state === 'asks' || state === 'parked') return [`  next:      fleet resume ${id} --retry goes on`];
  if (state === 'failed' && counts.done >= counts.total) return [`  next:      fleet retry ${id}`];
  if (state === 'failed') return [`  next:      fleet retry its failed tasks (fleet failed), then fleet retry ${id}`];
  return [];
}
